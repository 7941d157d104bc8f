"""Values on their way in and out.

What crosses is bytes in `marshal` format, with large buffers beside them: each is handed over in
place, so that it is copied once on its way, by the host. Where a buffer belongs, the marshalled
bytes hold a placeholder, a frozenset with one tuple in it, since no value that may cross has
frozensets:

    ("bytes", index)                            ("video", index, width, height, format)
    ("audio", index, sample_rate, channels)     ("tensor", index, dtype, shape)
"""

import marshal

from _remotemedia import Audio, Tensor, VideoFrame

# How deep a value may be nested when it leaves Python: `MAX_DEPTH` of the host's `value.rs`.
MAX_DEPTH = 256

# Bytes at least this long travel beside the marshalled bytes: `BUFFER_BYTES` of the host's
# `marshal` module.
BUFFER_BYTES = 4096

# Containers longer than this are not searched for large buffers before they are written: that would
# cost more than the copies that it may save.
SEARCHED = 64

_BUFFERS = frozenset((bytes, bytearray, memoryview))
_CONTAINERS = frozenset((list, tuple, dict))
_MEDIA = frozenset((Audio, VideoFrame, Tensor))


class UnsupportedValue(TypeError):
    """A node's output holds something that cannot leave Python."""

    __module__ = "builtins"


def load(payload, buffers):
    value = marshal.loads(payload)
    return _fill(value, buffers) if buffers else value


def _fill(value, buffers):
    """The value with its placeholders replaced; lists and dictionaries are changed in place."""
    kind = type(value)
    if kind is frozenset:
        ((name, index, *description),) = value
        return _MAKERS[name](buffers[index], *description)
    if kind is tuple:
        return tuple([_fill(item, buffers) for item in value])
    if kind is list:
        for index, item in enumerate(value):
            if type(item) in _FILLED:
                value[index] = _fill(item, buffers)
    elif kind is dict:
        for key, item in value.items():
            if type(item) in _FILLED:
                value[key] = _fill(item, buffers)
    return value


_FILLED = _CONTAINERS | {frozenset}


def _audio(data, sample_rate, channels):
    # The host has looked at the parts, which takes `Audio` longer than all else here.
    audio = Audio.__new__(Audio)
    audio.samples = memoryview(data).cast("f")
    audio.sample_rate = sample_rate
    audio.channels = channels
    return audio


_MAKERS = {
    "bytes": lambda data: data,
    "audio": _audio,
    "video": VideoFrame,
    "tensor": lambda data, dtype, shape: Tensor(data, shape, dtype),
}


def dump(result):
    """An answer with this result, as bytes and a list of the buffers beside them. A list is taken
    to be a node's outputs, and so is the first part of a tuple if it is a list."""
    outputs = (
        result if type(result) is list else result[0] if type(result) is tuple and result else None
    )
    if type(outputs) is not list or not _has_buffers(outputs):
        try:
            return marshal.dumps((0, result), 2), []
        except ValueError:
            # Not made of exact built-in types: a subclass (an enum, a named tuple, a defaultdict),
            # media, or something that cannot leave at all.
            pass
    buffers = []
    if type(outputs) is not list:
        plain = _plain(result, "", 0, buffers)
    elif outputs is result:
        plain = _plain_outputs(outputs, buffers)
    else:
        plain = (_plain_outputs(outputs, buffers), *result[1:])
    return marshal.dumps((0, plain), 2), buffers


def check(result):
    """Raise, saying what in this result cannot leave Python."""
    outputs = result[0] if type(result) is tuple and result else result
    if type(outputs) is list:
        _plain_outputs(outputs, [])
    else:
        _plain(result, "", 0, [])


def _has_buffers(outputs):
    """Whether something is to travel beside the marshalled bytes, as far as it is worth looking."""
    for output in outputs:
        kind = type(output)
        if kind in _MEDIA:
            return True
        if kind in _BUFFERS:
            if _size(output) >= BUFFER_BYTES:
                return True
        elif kind in _CONTAINERS and len(output) <= SEARCHED:
            for item in output.values() if kind is dict else output:
                kind = type(item)
                if kind in _MEDIA or kind in _BUFFERS and _size(item) >= BUFFER_BYTES:
                    return True
    return False


def _size(buffer):
    return buffer.nbytes if type(buffer) is memoryview else len(buffer)


def _plain_outputs(outputs, buffers):
    if len(outputs) == 1:
        return [_plain(outputs[0], "output", 0, buffers)]
    return [
        _plain(output, f"output {number}", 0, buffers) for number, output in enumerate(outputs, 1)
    ]


def _plain(value, place, depth, buffers):
    """A copy made of exact built-in types, its large buffers apart, or an error that names the
    place."""
    if depth > MAX_DEPTH:
        raise UnsupportedValue(
            f"{place[:60]}...: nested deeper than {MAX_DEPTH} levels, or it contains itself"
        )
    if type(value) is Audio and buffers is not None:
        return _beside(buffers, value.samples, "audio", value.sample_rate, value.channels)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return {
            _plain(key, f"{place} (key)", depth + 1, None): _plain(
                item, f"{place}[{key!r}]", depth + 1, buffers
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _plain(item, f"{place}[{index}]", depth + 1, buffers)
            for index, item in enumerate(value)
        ]
    if isinstance(value, tuple):
        return tuple(
            [
                _plain(item, f"{place}[{index}]", depth + 1, buffers)
                for index, item in enumerate(value)
            ]
        )
    # Keys have no place for a buffer beside them.
    if buffers is not None:
        if isinstance(value, Audio):
            return _beside(buffers, value.samples, "audio", value.sample_rate, value.channels)
        if isinstance(value, VideoFrame):
            return _beside(buffers, value.data, "video", value.width, value.height, value.format)
        if isinstance(value, Tensor):
            return _beside(buffers, value.data, "tensor", value.dtype, tuple(value.shape))
    try:
        view = memoryview(value)
    except TypeError:
        raise UnsupportedValue(_unsupported(value, place)) from None
    if buffers is None or view.nbytes < BUFFER_BYTES:
        return bytes(view)
    return _beside(buffers, value, "bytes")


def _beside(buffers, data, name, *description):
    # As a view, so that no code of a node's runs when the host takes it: what came in may be freed
    # by then, and something else be at its address.
    view = memoryview(data)
    buffers.append(view if view.c_contiguous else bytes(view))
    return frozenset(((name, len(buffers) - 1, *description),))


def _unsupported(value, place):
    kind = type(value)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    return (
        f"{place} is of the type {name}, which cannot leave Python; return None, bool, int, "
        "float, str, bytes, list, tuple, dict, or Audio, VideoFrame or Tensor of remotemedia"
    )
