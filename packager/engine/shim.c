// The engine's native half: embeds CPython and exports the world in engine.wit by hand, in the canonical ABI.
//
// It needs no headers: what it uses of CPython's stable API and of the C library is declared here. Everything that can
// be written in Python is in guest/; this file only starts the interpreter, passes bytes in and out without copying
// them twice, and gives the packer access to memory.
//
// Rebuild with ./build-shim.sh after a change.

typedef unsigned char u8;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long usize;

#define EXPORT(name) __attribute__((export_name(name), visibility("default")))
#define NULL ((void *)0)
// Larger does not restore faster: the cost is page faults, not calls.
#define BOUNCE_SIZE (256u * 1024u)

typedef struct PyObject PyObject;
typedef struct PyInitConfig PyInitConfig;

extern PyInitConfig *PyInitConfig_Create(void);
extern int PyInitConfig_SetInt(PyInitConfig *, const char *, i64);
extern int PyInitConfig_SetStr(PyInitConfig *, const char *, const char *);
extern int PyInitConfig_SetStrList(PyInitConfig *, const char *, usize, char *const *);
extern int PyInitConfig_GetError(PyInitConfig *, const char **);
extern void PyInitConfig_Free(PyInitConfig *);
extern int Py_InitializeFromInitConfig(PyInitConfig *);
extern PyObject *PyImport_ImportModule(const char *);
extern PyObject *PyObject_GetAttrString(PyObject *, const char *);
extern PyObject *PyObject_CallFunctionObjArgs(PyObject *, ...);
extern PyObject *PyObject_Str(PyObject *);
extern PyObject *PyErr_GetRaisedException(void);
extern void PyErr_Clear(void);
extern PyObject *PyLong_FromUnsignedLong(unsigned long);
extern PyObject *PyBytes_FromStringAndSize(const char *, long);
extern char *PyBytes_AsString(PyObject *);
extern long PyBytes_Size(PyObject *);
extern const char *PyUnicode_AsUTF8AndSize(PyObject *, long *);
extern PyObject *PyTuple_New(long);
extern int PyTuple_SetItem(PyObject *, long, PyObject *);
extern PyObject *PyTuple_GetItem(PyObject *, long);
extern PyObject *PyList_GetItem(PyObject *, long);
extern long PyList_Size(PyObject *);
extern void Py_DecRef(PyObject *);
extern int PyObject_GetOptionalAttr(PyObject *, PyObject *, PyObject **);
extern int PyObject_SetAttrString(PyObject *, const char *, PyObject *);
extern int PyErr_ExceptionMatches(PyObject *);
extern PyObject *PyErr_Format(PyObject *, const char *, ...);
extern PyObject *PyExc_TypeError;
extern PyObject *PyBool_FromLong(long);

// A function for Python, as Include/methodobject.h has it.
typedef struct {
  const char *name;
  PyObject *(*function)(PyObject *, PyObject *const *, long);
  int flags;
  const char *doc;
} PyMethodDef;
#define METH_FASTCALL 0x0080
extern PyObject *PyCFunction_NewEx(PyMethodDef *, PyObject *, PyObject *);

// A view of an object's memory, as Include/pybuffer.h has it; part of the stable ABI.
typedef struct {
  void *buf;
  PyObject *obj;
  long len;
  long itemsize;
  int readonly;
  int ndim;
  char *format;
  long *shape;
  long *strides;
  long *suboffsets;
  void *internal;
} Py_buffer;
extern int PyObject_GetBuffer(PyObject *, Py_buffer *, int);
extern void PyBuffer_Release(Py_buffer *);

// A frozen module, as Include/cpython/import.h has it.
struct _frozen {
  const char *name;
  const u8 *code;
  int size;
  int is_package;
};
extern const struct _frozen *PyImport_FrozenModules;

extern void *malloc(usize);
extern void free(void *);
extern void *memset(void *, int, usize);
extern void *memcpy(void *, const void *, usize);
extern usize strlen(const char *);
extern void __wasilibc_reset_preopens(void);

struct bytes {
  const u8 *start;
  u32 length;
};

// Everything in here, and the bounce buffer, is the engine's own and stays out of a layer: `memory-layout` reports both.
static struct {
  PyObject *dispatch;  // the guest's entry point
  PyObject *removed;   // the exception that tells of what was left out
  PyObject *payload;   // the bytes object whose buffer the host is filling
  PyObject **received; // the same for each of the buffers beside it; only while a call comes in
  u32 received_count;
  u32 received_room;
  PyObject *result;    // the object whose memory the host is reading
  Py_buffer *views;    // the views of its buffers
  struct bytes *lists; // where those buffers are, for the host
  u32 view_count;
  struct bytes returned;
  struct bytes answer[2]; // a call's answer: the payload, and the list of buffers
  u32 layout[6];
  u32 restoring;
  char error[1024];
  u8 *bounce; // BOUNCE_SIZE bytes: where a layer's records land before they are copied into place
} state;

static void *allocate(usize size) {
  void *room = malloc(size);
  if (room == NULL) __builtin_trap();
  return room;
}

static void grow_received(void) {
  u32 room = state.received_room * 2 + 8;
  PyObject **larger = allocate(room * sizeof *larger);
  memcpy(larger, state.received, state.received_count * sizeof *larger);
  free(state.received);
  state.received = larger;
  state.received_room = room;
}

// The host asks here for room for what it passes in. For a call that room is the buffer of a new bytes object, so that
// Python gets the payload without another copy.
EXPORT("cabi_realloc")
void *cabi_realloc(void *old, usize old_size, usize align, usize new_size) {
  if (old != NULL) __builtin_trap(); // byte lists have a known length: nothing is ever grown
  (void)old_size;
  if (new_size == 0) return (void *)align;
  if (state.restoring) {
    if (new_size > BOUNCE_SIZE) __builtin_trap();
    return state.bounce;
  }
  // Before the first call, and for the array of a list of lists, plain memory will do.
  if (state.dispatch == NULL || align != 1) return allocate(new_size);
  PyObject *bytes = PyBytes_FromStringAndSize(NULL, (long)new_size);
  if (bytes == NULL) __builtin_trap(); // out of memory: returning null would let the host write at address 0
  if (state.payload == NULL) {
    state.payload = bytes;
  } else {
    if (state.received_count == state.received_room) grow_received();
    state.received[state.received_count++] = bytes;
  }
  return PyBytes_AsString(bytes);
}

static struct bytes *return_text(const char *text) {
  usize length = strlen(text);
  if (length > sizeof state.error) length = sizeof state.error;
  memcpy(state.error, text, length);
  state.returned.start = (const u8 *)state.error;
  state.returned.length = (u32)length;
  return &state.returned;
}

// A text behind a zero byte, which tells it from marshalled data.
static struct bytes *return_failure(const char *text) {
  usize length = strlen(text);
  if (length > sizeof state.error - 1) length = sizeof state.error - 1;
  state.error[0] = 0;
  memcpy(state.error + 1, text, length);
  state.returned.start = (const u8 *)state.error;
  state.returned.length = (u32)length + 1;
  return &state.returned;
}

// The text of the exception that is set, behind a zero byte: no marshalled value starts with one.
static struct bytes *return_exception(void) {
  state.error[0] = 0;
  usize length = 1;
  PyObject *exception = PyErr_GetRaisedException();
  PyObject *text = exception == NULL ? NULL : PyObject_Str(exception);
  long text_length = 0;
  const char *utf8 = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &text_length);
  if (utf8 != NULL) {
    if ((usize)text_length > sizeof state.error - 1) text_length = sizeof state.error - 1;
    memcpy(state.error + 1, utf8, (usize)text_length);
    length += (usize)text_length;
  }
  PyErr_Clear();
  Py_DecRef(text);
  Py_DecRef(exception);
  state.returned.start = (const u8 *)state.error;
  state.returned.length = (u32)length;
  return &state.returned;
}

static u32 read_u32(const u8 **cursor) {
  u32 value;
  memcpy(&value, *cursor, sizeof value);
  *cursor += sizeof value;
  return value;
}

// A count, then for each module: length of the name with its final zero, the name, 1 for a package, length of the code,
// the code. The table points into `image`, which is never freed.
static const struct _frozen *frozen_table(const u8 *image) {
  const u8 *cursor = image;
  u32 count = read_u32(&cursor);
  struct _frozen *table = allocate((count + 1) * sizeof *table);
  for (u32 i = 0; i < count; i++) {
    u32 name_length = read_u32(&cursor);
    table[i].name = (const char *)cursor;
    cursor += name_length;
    table[i].is_package = (int)read_u32(&cursor);
    table[i].size = (int)read_u32(&cursor);
    table[i].code = cursor;
    cursor += table[i].size;
  }
  memset(&table[count], 0, sizeof *table);
  return table;
}

static const char *initialize(char *search_path) {
  PyInitConfig *config = PyInitConfig_Create();
  if (config == NULL) return "out of memory";
  static const struct {
    const char *name;
    i64 value;
  } settings[] = {
      // Iteration order of sets of strings is part of a frozen program's bytes.
      {"use_hash_seed", 1},
      {"hash_seed", 0},
      // The sandbox has no files, arguments, environment or signals to look at.
      {"site_import", 0},
      {"use_environment", 0},
      {"parse_argv", 0},
      {"safe_path", 1},
      {"user_site_directory", 0},
      {"write_bytecode", 0},
      {"install_signal_handlers", 0},
      {"pathconfig_warnings", 0},
      {"configure_c_stdio", 0},
      {"buffered_stdio", 0},
      {"utf8_mode", 1},
      // Column tables make code objects larger, and a traceback without source text has no use for them.
      {"code_debug_ranges", 0},
  };
  for (u32 i = 0; i < sizeof settings / sizeof *settings; i++)
    if (PyInitConfig_SetInt(config, settings[i].name, settings[i].value) < 0) goto failed;
  static const char *const paths[] = {"prefix", "exec_prefix", "base_prefix", "base_exec_prefix"};
  for (u32 i = 0; i < sizeof paths / sizeof *paths; i++)
    if (PyInitConfig_SetStr(config, paths[i], "/") < 0) goto failed;
  if (PyInitConfig_SetStr(config, "executable", "") < 0) goto failed;
  char *const search_paths[] = {search_path};
  if (PyInitConfig_SetStrList(config, "module_search_paths", search_path[0] ? 1 : 0, search_paths) < 0) goto failed;
  if (Py_InitializeFromInitConfig(config) < 0) goto failed;
  PyInitConfig_Free(config);
  return NULL;
failed:;
  const char *message = "no message";
  PyInitConfig_GetError(config, &message);
  return message; // points into config, which is left alone: the instance is of no further use
}

// `hasattr` as Python has it, but for what was left out of a bundle: the whole program has it.
static PyObject *has_attribute(PyObject *self, PyObject *const *arguments, long count) {
  (void)self;
  if (count != 2) return PyErr_Format(PyExc_TypeError, "hasattr expected 2 arguments, got %zd", count);
  PyObject *value = NULL;
  int found = PyObject_GetOptionalAttr(arguments[0], arguments[1], &value);
  if (found < 0) {
    if (!PyErr_ExceptionMatches(state.removed)) return NULL;
    PyErr_Clear();
    found = 1;
  }
  Py_DecRef(value);
  return PyBool_FromLong(found);
}

static PyMethodDef has_attribute_definition = {
    "hasattr", has_attribute, METH_FASTCALL,
    "hasattr($module, obj, name, /)\n--\n\nReturn whether the object has an attribute with the given name."};

static int replace_hasattr(void) {
  PyObject *removed = PyImport_ImportModule("_rm_removed");
  state.removed = removed == NULL ? NULL : PyObject_GetAttrString(removed, "RemovedError");
  PyObject *builtins = state.removed == NULL ? NULL : PyImport_ImportModule("builtins");
  PyObject *function = builtins == NULL ? NULL : PyCFunction_NewEx(&has_attribute_definition, builtins, NULL);
  int outcome = function == NULL ? -1 : PyObject_SetAttrString(builtins, "hasattr", function);
  Py_DecRef(function);
  Py_DecRef(builtins);
  Py_DecRef(removed);
  return outcome;
}

EXPORT("boot")
struct bytes *boot(const u8 *path, u32 path_length, const u8 *frozen, u32 frozen_length) {
  if (state.dispatch != NULL) return return_text("the engine has been booted already");
  if (frozen_length != 0) PyImport_FrozenModules = frozen_table(frozen);
  char search_path[256];
  if (path_length >= sizeof search_path) return return_text("the search path is too long");
  memcpy(search_path, path, path_length);
  search_path[path_length] = 0;
  const char *error = initialize(search_path);
  if (error != NULL) return return_text(error);
  PyObject *guest = PyImport_ImportModule("_rm_guest");
  PyObject *dispatch = guest == NULL ? NULL : PyObject_GetAttrString(guest, "dispatch");
  if (dispatch == NULL || replace_hasattr() < 0) return return_exception();
  Py_DecRef(guest);
  state.bounce = malloc(BOUNCE_SIZE);
  if (state.bounce == NULL) return return_text("out of memory");
  state.dispatch = dispatch;
  // Handles of this host's folders mean nothing to the host that runs the snapshot.
  __wasilibc_reset_preopens();
  state.returned.length = 0;
  return &state.returned;
}

static void release_answer(void) {
  for (u32 i = 0; i < state.view_count; i++) PyBuffer_Release(&state.views[i]);
  state.view_count = 0;
  free(state.views);
  free(state.lists);
  state.views = NULL;
  state.lists = NULL;
  PyObject *result = state.result;
  state.result = NULL;
  Py_DecRef(result);
}

static struct bytes *answer(const struct bytes *payload) {
  state.answer[0] = *payload;
  state.answer[1].start = (const u8 *)state.lists;
  state.answer[1].length = state.view_count;
  return state.answer;
}

// Point the answer at the memory of what the guest returned: bytes, and a list of objects with buffers.
static struct bytes *answer_result(PyObject *result) {
  state.result = result;
  PyObject *payload = PyTuple_GetItem(result, 0);
  PyObject *buffers = payload == NULL ? NULL : PyTuple_GetItem(result, 1);
  long count = buffers == NULL ? -1 : PyList_Size(buffers);
  if (count < 0) return answer(return_exception());
  if (count > 0) {
    state.views = allocate((usize)count * sizeof *state.views);
    state.lists = allocate((usize)count * sizeof *state.lists);
  }
  for (long i = 0; i < count; i++) {
    Py_buffer *view = &state.views[i];
    if (PyObject_GetBuffer(PyList_GetItem(buffers, i), view, 0) < 0) {
      struct bytes *error = return_exception();
      release_answer();
      return answer(error);
    }
    state.view_count++;
    state.lists[i].start = view->buf;
    state.lists[i].length = (u32)view->len;
  }
  char *start = PyBytes_AsString(payload);
  if (start == NULL) return answer(return_exception());
  struct bytes bytes = {(const u8 *)start, (u32)PyBytes_Size(payload)};
  return answer(&bytes);
}

EXPORT("call")
struct bytes *call(u32 operation, const u8 *payload, u32 payload_length, struct bytes *buffers, u32 buffer_count) {
  (void)payload; // it is the buffer of state.payload
  release_answer();
  if (state.dispatch == NULL) return answer(return_failure("the engine has not been booted"));
  // The host fills no room for empty lists.
  PyObject *argument = payload_length == 0 ? PyBytes_FromStringAndSize(NULL, 0) : state.payload;
  PyObject *beside = PyTuple_New((long)buffer_count);
  if (beside == NULL) __builtin_trap();
  for (u32 i = 0, next = 0; i < buffer_count; i++)
    PyTuple_SetItem(
        beside, (long)i, buffers[i].length == 0 ? PyBytes_FromStringAndSize(NULL, 0) : state.received[next++]);
  if (buffer_count != 0) free(buffers);
  free(state.received);
  state.payload = NULL;
  state.received = NULL;
  state.received_count = state.received_room = 0;
  PyObject *number = PyLong_FromUnsignedLong(operation);
  PyObject *result = NULL;
  if (number != NULL && argument != NULL)
    result = PyObject_CallFunctionObjArgs(state.dispatch, number, argument, beside, NULL);
  Py_DecRef(number);
  Py_DecRef(argument);
  Py_DecRef(beside);
  if (result == NULL) return answer(return_exception());
  return answer_result(result);
}

EXPORT("scrub")
void scrub(void) {
  release_answer();
  // Take every free block there is, large ones first, zero them, and give them back. A size is done when the heap had
  // to grow for it.
  struct block {
    struct block *next;
  } *taken = NULL;
  for (usize size = 1024 * 1024; size >= sizeof(struct block); size /= 2) {
    for (;;) {
      usize pages = __builtin_wasm_memory_size(0);
      struct block *block = malloc(size);
      if (block == NULL) break;
      memset(block, 0, size);
      block->next = taken;
      taken = block;
      if (__builtin_wasm_memory_size(0) != pages) break;
    }
  }
  while (taken != NULL) {
    struct block *next = taken->next;
    taken->next = NULL;
    free(taken);
    taken = next;
  }
}

EXPORT("memory-layout")
u32 *memory_layout(void) {
  // Below this frame the stack is dead between calls.
  state.layout[0] = (u32)(usize)__builtin_frame_address(0);
  state.layout[1] = (u32)(usize)&state;
  state.layout[2] = (u32)(usize)(&state + 1);
  state.layout[3] = (u32)(usize)state.bounce;
  state.layout[4] = state.layout[3] + BOUNCE_SIZE;
  state.layout[5] = (u32)__builtin_wasm_memory_size(0);
  return state.layout;
}

EXPORT("memory-read")
struct bytes *memory_read(u32 address, u32 length) {
  state.returned.start = (const u8 *)(usize)address;
  state.returned.length = length;
  return &state.returned;
}

EXPORT("layer-begin")
u32 layer_begin(u32 pages) {
  u32 present = (u32)__builtin_wasm_memory_size(0);
  if (pages > present && __builtin_wasm_memory_grow(0, pages - present) == (usize)-1) __builtin_trap();
  // An answer that is held belongs to the memory that is about to be replaced.
  state.result = NULL;
  state.views = NULL;
  state.lists = NULL;
  state.view_count = 0;
  state.restoring = 1;
  return BOUNCE_SIZE;
}

EXPORT("layer-write")
void layer_write(const u8 *records, u32 length) {
  const u8 *cursor = records;
  const u8 *end = records + length;
  while (cursor < end) {
    u32 address = read_u32(&cursor);
    u32 size = read_u32(&cursor);
    if (size > (u32)(end - cursor)) __builtin_trap();
    memcpy((void *)(usize)address, cursor, size);
    cursor += size;
  }
}

EXPORT("layer-end")
void layer_end(void) { state.restoring = 0; }
