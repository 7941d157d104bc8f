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
extern void Py_DecRef(PyObject *);

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
  PyObject *dispatch; // the guest's entry point
  PyObject *payload;  // the bytes object whose buffer the host is filling
  PyObject *result;   // the bytes object whose buffer the host is reading
  struct bytes returned;
  u32 layout[6];
  u32 restoring;
  char error[1024];
  u8 *bounce; // BOUNCE_SIZE bytes: where a layer's records land before they are copied into place
} state;

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
  if (state.dispatch == NULL) {
    void *room = malloc(new_size);
    if (room == NULL) __builtin_trap();
    return room;
  }
  Py_DecRef(state.payload);
  state.payload = PyBytes_FromStringAndSize(NULL, (long)new_size);
  if (state.payload == NULL) __builtin_trap(); // out of memory: returning null would let the host write at address 0
  return PyBytes_AsString(state.payload);
}

static struct bytes *return_text(const char *text) {
  usize length = strlen(text);
  if (length > sizeof state.error) length = sizeof state.error;
  memcpy(state.error, text, length);
  state.returned.start = (const u8 *)state.error;
  state.returned.length = (u32)length;
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
  struct _frozen *table = malloc((count + 1) * sizeof *table);
  if (table == NULL) __builtin_trap();
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
  if (dispatch == NULL) return return_exception();
  Py_DecRef(guest);
  state.bounce = malloc(BOUNCE_SIZE);
  if (state.bounce == NULL) return return_text("out of memory");
  state.dispatch = dispatch;
  // Handles of this host's folders mean nothing to the host that runs the snapshot.
  __wasilibc_reset_preopens();
  state.returned.length = 0;
  return &state.returned;
}

EXPORT("call")
struct bytes *call(u32 operation, const u8 *payload, u32 payload_length) {
  (void)payload; // it is the buffer of state.payload
  if (state.dispatch == NULL) return return_text("\0the engine has not been booted");
  PyObject *argument = state.payload;
  state.payload = NULL;
  if (payload_length == 0) {
    Py_DecRef(argument);
    argument = PyBytes_FromStringAndSize(NULL, 0);
  }
  PyObject *number = PyLong_FromUnsignedLong(operation);
  PyObject *result =
      number == NULL || argument == NULL ? NULL : PyObject_CallFunctionObjArgs(state.dispatch, number, argument, NULL);
  Py_DecRef(number);
  Py_DecRef(argument);
  char *start = result == NULL ? NULL : PyBytes_AsString(result);
  if (start == NULL) {
    Py_DecRef(result);
    return return_exception();
  }
  state.result = result;
  state.returned.start = (const u8 *)start;
  state.returned.length = (u32)PyBytes_Size(result);
  return &state.returned;
}

EXPORT("cabi_post_call")
void cabi_post_call(struct bytes *returned) {
  (void)returned;
  PyObject *result = state.result;
  state.result = NULL;
  Py_DecRef(result);
}

EXPORT("scrub")
void scrub(void) {
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
