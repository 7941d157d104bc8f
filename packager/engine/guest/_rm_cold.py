"""What was left out of a bundle that was packed to have it at hand: brought in when somebody asks
for it.

A module that lacks definitions has them here in pieces: the statements of its top level and the
methods of its classes, each as code of its own. Whoever asks for one gets that piece and those that
it mentions run in the module, in the order of the text, and a line on standard error says what to
keep to be without that. Modules that were left out as a whole are among those that can be imported.
"""

import marshal
import sys

# module -> its pieces in `marshal` format, until one of them is needed
_packed = {}
# module -> (names that it binds, names that it mentions, code) of each piece, None for a piece that
# was run; a method goes by the names of its class and its own, with a dot between
_open = {}
# module -> names that pieces have bound
_brought = {}
# Modules that were left out as a whole.
_modules = set()
# More than 0 while something is brought in: what that needs is no news.
_depth = 0


def compile_pieces(filename, pieces, optimize, flags):
    """Pieces of a module as (names, mentions, line, text) to what `install` takes for it."""
    compiled = []
    for names, mentions, line, text in pieces:
        # Newlines are the cheapest way to say on which line a text begins.
        text = "\n" * (line - 1) + text
        code = compile(text, filename, "exec", flags, dont_inherit=True, optimize=optimize)
        compiled.append((names, mentions, marshal.dumps(code)))
    return marshal.dumps(tuple(compiled))


def install(cold):
    """Take in what was left out: for a module its pieces, or None if it is carried as a whole."""
    for name, pieces in cold:
        if pieces is None:
            _modules.add(name)
        else:
            _packed[name] = pieces


def is_module(name):
    return name in _modules


class Bringing:
    """While something is brought in. Its name is said first, unless something else asked for it
    that was named itself."""

    def __init__(self, definition, keep):
        if _depth == 0 and sys.__stderr__ is not None:
            sys.__stderr__.write(
                f"rm-pack: `{definition}` was left out of this bundle and is brought in now; "
                f"to keep it, add {keep} under [tool.rm-pack] in pyproject.toml\n"
            )

    def __enter__(self):
        global _depth
        _depth += 1

    def __exit__(self, *exception):
        global _depth
        _depth -= 1


def _pieces_for(module, name):
    """The places of the pieces to run for a name, in order; empty if it has none."""
    pieces = _open.get(module)
    if pieces is None:
        packed = _packed.pop(module, None)
        pieces = _open[module] = [] if packed is None else list(marshal.loads(packed))
    places = set()
    known = set()
    wanted = [name]
    while wanted:
        name = wanted.pop()
        if name in known:
            continue
        known.add(name)
        for place, piece in enumerate(pieces):
            if piece is not None and place not in places and name in piece[0].split():
                places.add(place)
                wanted.extend(piece[0].split())
                wanted.extend(piece[1].split())
    return sorted(places)


def _run(module, places, owner):
    """Run pieces; `owner` is the class that methods among them belong to. Returns the first
    exception."""
    namespace = sys.modules[module].__dict__
    brought = _brought.setdefault(module, set())
    pieces = _open[module]
    problem = None
    for place in places:
        piece = pieces[place]
        if piece is None:
            continue
        # Before it runs: what it runs may ask for the same.
        pieces[place] = None
        names, _, code = piece
        code = marshal.loads(code)
        try:
            if "." in names:
                _add_method(namespace, names, code, owner)
                continue
            names = set(names.split())
            # What the module has is not replaced, unless it came from here.
            present = {name: namespace[name] for name in names - brought if name in namespace}
            try:
                exec(code, namespace)
            finally:
                namespace.update(present)
            brought.update(names.difference(present))
        except Exception as error:
            problem = problem or error
    return problem


def bring_global(module, name):
    """Give the module the global, if it is here. Returns what hindered that, if anything did."""
    places = _pieces_for(module, name)
    if not places or module not in sys.modules:
        return None
    with Bringing(f"{module}.{name}", f'keep = ["{module}.{name}"]'):
        return _run(module, places, None)


def bring_method(owner, name):
    """Give the class its method, if it is here. Returns what hindered that, if anything did."""
    module = owner.__module__
    private = f"_{owner.__name__.lstrip('_')}__"
    if name.startswith(private):
        name = name[len(private) - 2 :]
    definition = f"{owner.__qualname__}.{name}"
    places = _pieces_for(module, definition)
    if not places or module not in sys.modules:
        return None
    with Bringing(f"{module}.{definition}", f'keep = ["{module}.{definition}"]'):
        return _run(module, places, owner)


def has_brought(module, name):
    """Whether all was run that may bind the name, and none of it failed."""
    return name in _brought.get(module, ())


class _Body(dict):
    """The namespace of a class of which only one method is run: names of the class around it come
    from the real one."""

    owner = None

    def __missing__(self, name):
        return self.owner.__dict__[name]


class _Metaclass:
    """Stands in the head of such a class, and makes no class at all."""

    def __init__(self, owner):
        self.body = _Body()
        self.body.owner = owner

    def __prepare__(self, name, bases):
        return self.body

    def __call__(self, name, bases, body):
        return None


def _add_method(namespace, names, code, owner):
    name = names.rpartition(".")[2]
    if name.startswith("__") and not name.endswith("__"):
        name = f"_{owner.__name__.lstrip('_')}{name}"
    metaclass = _Metaclass(owner)
    body = metaclass.body
    # In a scope of its own, so that the name of the class stays as it is.
    exec(code, namespace, {"__removed_class__": metaclass})
    # What `super()` and annotations find the class by.
    for cell, content in (("__classcell__", owner), ("__classdictcell__", owner.__dict__)):
        if cell in body:
            body[cell].cell_contents = content
    method = body[name]
    type.__setattr__(owner, name, method)
    hook = getattr(type(method), "__set_name__", None)
    if hook is not None:
        hook(method, owner, name)
