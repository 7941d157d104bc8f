"""The node contract, on the Python side: build a node, feed it, and hand over what it answers."""

import marshal
import sys

# How deep a value may be nested when it leaves Python: `MAX_DEPTH` of the host's `value.rs`.
MAX_DEPTH = 256

CO_VARKEYWORDS = 0x08
CO_GENERATOR_OR_COROUTINE = 0x20 | 0x80 | 0x200

_nodes = {}
# What the last request gave, for as long as the host may ask about it.
_last = None


class UnsupportedValue(TypeError):
    """A node's output holds something that cannot leave Python."""

    __module__ = "builtins"


def check_class(module, class_name):
    """Whether `class_name` in `module` can be a node, as far as the class itself tells."""
    _check_process(_resolve(module, class_name), class_name)


def create(node_id, module, class_name, params):
    """Build and initialise the node `node_id`: an instance of `class_name` in `module`."""
    node = _construct(_resolve(module, class_name), node_id, params)
    _check_process(node, class_name)
    _call_if_present(node, "initialize")
    _nodes[node_id] = node


def _resolve(module, class_name):
    __import__(module)
    cls = sys.modules[module]
    for part in class_name.split("."):
        cls = getattr(cls, part)
    return cls


def _check_process(owner, class_name):
    if getattr(owner, "is_streaming", False):
        raise NotImplementedError(
            f"{class_name} says is_streaming, and this version runs nodes that take one item at a time"
        )
    process = getattr(owner, "process", None)
    if not callable(process):
        raise TypeError(f"{class_name} has no method process(self, data)")
    code = getattr(getattr(process, "__func__", process), "__code__", None)
    if code is not None and code.co_flags & CO_GENERATOR_OR_COROUTINE:
        raise NotImplementedError(
            f"{class_name}.process is a coroutine or a generator, and this version runs plain functions only: "
            "def process(self, data)"
        )


def _construct(cls, node_id, params):
    """Call the class with the parameters that it declares; the others go to `self.config`."""
    given = {"name": node_id, **params}
    declared = _declared_parameters(cls)
    if declared is None:
        return cls(**given)
    node = cls(**{key: value for key, value in given.items() if key in declared})
    rest = {key: value for key, value in params.items() if key not in declared}
    if rest:
        config = getattr(node, "config", None)
        if isinstance(config, dict):
            config.update(rest)
        else:
            try:
                node.config = rest
            except AttributeError:  # __slots__, or a frozen dataclass
                names = ", ".join(sorted(rest))
                raise TypeError(f"{cls.__qualname__} does not take the params {names}, and has no place for them") from None
    return node


def _declared_parameters(cls):
    """The names that `cls(...)` takes, or None when it takes any."""
    init = cls.__init__
    if init is object.__init__:
        init = cls.__new__
        if init is object.__new__:
            return ()
    while hasattr(init, "__wrapped__"):
        init = init.__wrapped__
    code = getattr(init, "__code__", None)
    if code is None or code.co_flags & CO_VARKEYWORDS:
        return None
    return code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]


def _call_if_present(node, name):
    method = getattr(node, name, None)
    return method() if callable(method) else None


def process(node_id, data):
    """One item in; the list of what comes out."""
    output = _nodes[node_id].process(data)
    return [] if output is None else [output]


def flush(node_id):
    """End of stream; the list of what comes out."""
    output = _call_if_present(_nodes[node_id], "flush")
    return [] if output is None else [output]


def cleanup(node_id):
    node = _nodes.pop(node_id, None)
    if node is not None:
        _call_if_present(node, "cleanup")


def to_wire(result):
    """An answer with this result, as bytes."""
    global _last
    _last = result
    try:
        return marshal.dumps((0, result), 2)
    except ValueError:
        pass
    # Not made of exact built-in types: a subclass (an enum, a named tuple, a defaultdict), or it cannot leave at all.
    return marshal.dumps((0, _plain_result(result)), 2)


def explain():
    """Say what in the last result cannot leave Python, by raising.

    `marshal` writes some types that the host does not have, such as sets. Looking for them in every result would cost
    more than writing it, so the host asks when it could not read one.
    """
    _plain_result(_last)


def forget():
    """Let go of the last result."""
    global _last
    _last = None


def _plain_result(result):
    if not isinstance(result, list):
        return _plain(result, "", 0)
    if len(result) == 1:
        return [_plain(result[0], "output", 0)]
    return [_plain(output, f"output {number}", 0) for number, output in enumerate(result, 1)]


def _plain(value, place, depth):
    """A copy made of exact built-in types, or an error that names the place."""
    if depth > MAX_DEPTH:
        raise UnsupportedValue(f"{place[:60]}...: nested deeper than {MAX_DEPTH} levels, or it contains itself")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, dict):
        return {
            _plain(key, f"{place} (key)", depth + 1): _plain(item, f"{place}[{key!r}]", depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_plain(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, tuple):
        return tuple([_plain(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(value)])
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    raise UnsupportedValue(
        f"{place} is of the type {name}, which cannot leave Python; return None, bool, int, "
        "float, str, bytes, list, tuple or dict"
    )
