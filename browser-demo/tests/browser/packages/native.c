/* A native module for Pyodide, as small as one can be: what the tests put into a package that has the name and the file of one of
 * Pyodide's own. Compiled by the test with clang, without Python's headers, whose structures are written out here for wasm32. */

typedef struct {
    int references;
    void *type, *init;
    int index;
    void *copy;
    const char *name, *documentation;
    int size;
    void *methods, *slots, *traverse, *clear, *free;
} Module;

typedef struct {
    const char *name;
    void *function;
    int flags;
    const char *documentation;
} Method;

extern void *PyModule_Create2(Module *module, int version);
extern void *PyLong_FromLong(long number);
extern long PyLong_AsLong(void *object);

static void *twice(void *self, void *number) { return PyLong_FromLong(2 * PyLong_AsLong(number)); }

static Method methods[] = {{"twice", twice, 8 /* one argument */, 0}, {0}};
static Module module = {.references = 1, .name = "_native", .size = -1, .methods = methods};

__attribute__((visibility("default"))) void *PyInit__native(void) { return PyModule_Create2(&module, 1013); }
