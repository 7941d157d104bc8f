"""What nodes and the engine share: media values, packets, metadata and the state of sessions.

Nodes import these names from `remotemedia`. The engine holds this module frozen and makes the
values that nodes receive from it, so it uses modules built into the interpreter alone: whatever
else it imported would be in every bundle.
"""

from _collections import OrderedDict
from _operator import index
from _struct import error as _StructError
from _struct import calcsize, pack_into
from sys import maxsize
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, ItemsView, Iterable, Iterator, KeysView, ValuesView
    from typing import Any

# What the host can hold: `u16`, `u32` and `i64`.
_MAX_CHANNELS = 0xFFFF
_MAX_U32 = 0xFFFF_FFFF
_MAX_I64 = 0x7FFF_FFFF_FFFF_FFFF
_MAX_DIMENSIONS = 64  # of a memoryview

# The `memoryview` formats of each kind of number; their sizes differ between platforms.
_KINDS = ("?", "BHILQN", "bhilqn", "fd")

_DTYPES = {
    "bool": "?",
    "u8": "B",
    "i8": "b",
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "i32": "i",
    "u64": "Q",
    "i64": "q",
    "f32": "f",
    "f64": "d",
}
_SIZES = {code: calcsize(code) for code in _DTYPES.values()}

# Bytes for each pixel of the luma plane; chroma planes come on top.
_PIXEL_FORMATS = {"rgb24": 3, "rgba32": 4, "gray8": 1, "yuv420p": 1}


def _integer(value: "Any", name: str, lowest: int, highest: int) -> int:
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{name} is an integer, not {type(value).__name__}") from None
    if not lowest <= number <= highest:
        raise ValueError(f"{name} is from {lowest} to {highest}, not {number}")
    return number


def _text(value: "Any", name: str) -> "str | None":
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{name} is text or None, not {type(value).__name__}")


def _view(data: "Any") -> "memoryview | None":
    """The memory of `data`, contiguous, or None if it is no buffer."""
    try:
        view = memoryview(data)
    except TypeError:
        return None
    if view.c_contiguous and (view.ndim == 1 or view.nbytes):
        return view
    # A flat copy: a cast can neither join what lies apart nor do with sides of length zero.
    return memoryview(view.tobytes()).cast(view.format.lstrip("@"))


def _is_same_number(view: memoryview, code: str) -> bool:
    """Whether the elements of `view` are those of `code`, perhaps by another name."""
    found = view.format.lstrip("@")
    return found == code or (
        view.itemsize == _SIZES[code] and any(found in kind and code in kind for kind in _KINDS)
    )


def _flat(view: memoryview, code: str) -> memoryview:
    """`view` as one dimension of `code`."""
    if view.format == code and view.ndim == 1:
        return view
    view = view.cast("B")
    return view if code == "B" else view.cast(code)


def _packed(numbers: "Iterable[float]", code: str) -> memoryview:
    """A copy of `numbers` that can be written to. (`array` would do this, but imports
    `collections`.)"""
    numbers = tuple(numbers)
    buffer = bytearray(len(numbers) * _SIZES[code])
    pack_into(f"{len(numbers)}{code}", buffer, 0, *numbers)
    return memoryview(buffer).cast(code)


class Audio:
    """Sound: samples of all channels, interleaved, where -1.0 and 1.0 are full scale.

    `samples` may be a contiguous buffer of 32-bit floats, such as `array("f")`, or bytes that hold
    such floats, little-endian; both are kept as they are and not copied. Any other iterable of
    floats is copied.
    """

    __slots__ = ("samples", "sample_rate", "channels")

    samples: memoryview
    """All samples, interleaved; format `f`, one dimension."""

    sample_rate: int
    """Samples per second and channel."""

    channels: int
    """How many channels, at least one."""

    def __init__(
        self, samples: "bytes | memoryview | Iterable[float]", sample_rate: int, channels: int = 1
    ) -> None:
        self.sample_rate = _integer(sample_rate, "sample_rate", 1, _MAX_U32)
        self.channels = _integer(channels, "channels", 1, _MAX_CHANNELS)
        self.samples = _samples(samples)
        if len(self.samples) % self.channels:
            raise ValueError(
                f"{len(self.samples)} samples cannot be shared out over {self.channels} channels"
            )

    @property
    def frames(self) -> int:
        """How many samples each channel has."""
        return len(self.samples) // self.channels

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Audio):
            return NotImplemented
        return (
            self.sample_rate == other.sample_rate
            and self.channels == other.channels
            and self.samples == other.samples
        )

    def __reduce__(self) -> "tuple[Any, ...]":
        return Audio, (self.samples.tobytes(), self.sample_rate, self.channels)

    def __repr__(self) -> str:
        plural = "" if self.channels == 1 else "s"
        frames = f"{self.frames} frame{'' if self.frames == 1 else 's'}"
        return f"<Audio: {frames}, {self.channels} channel{plural}, {self.sample_rate} Hz>"


def _samples(samples: "Any") -> memoryview:
    view = _view(samples)
    if view is None:
        if isinstance(samples, str):
            raise TypeError("samples are floats or bytes, not str")
        try:
            return _packed(samples, "f")
        except (TypeError, _StructError) as error:
            message = f"samples are floats or bytes, not {type(samples).__name__}: {error}"
            raise TypeError(message) from None
    if _is_same_number(view, "f"):
        return _flat(view, "f")
    if view.format == "B":
        if view.nbytes % 4:
            raise ValueError(f"samples take 4 bytes each, and {view.nbytes} is not a multiple of 4")
        return _flat(view, "f")
    if _is_same_number(view, "d"):
        return _packed(_flat(view, "d"), "f")
    # Integers have another full scale.
    raise TypeError(f"samples are 32-bit floats, not numbers of the format {view.format!r}")


class VideoFrame:
    """One picture.

    `format` says how the pixels are laid out, rows from the top, without padding:

    - `rgb24`: three bytes a pixel: red, green, blue
    - `rgba32`: four bytes a pixel: red, green, blue, alpha
    - `gray8`: one byte a pixel: luma
    - `yuv420p`: planes of luma, then of both chroma components at half width and height, rounded up

    `data` is a contiguous buffer of bytes, which is kept as it is and not copied.
    """

    __slots__ = ("data", "width", "height", "format")

    data: memoryview
    """The pixels; format `B`, one dimension."""

    width: int
    """Pixels in a row."""

    height: int
    """Rows."""

    format: str
    """The name of the pixels' layout."""

    def __init__(
        self, data: "bytes | memoryview", width: int, height: int, format: str = "rgb24"
    ) -> None:
        self.width = _integer(width, "width", 0, _MAX_U32)
        self.height = _integer(height, "height", 0, _MAX_U32)
        if format not in _PIXEL_FORMATS:
            raise ValueError(f"no pixel format {format!r}; known: {', '.join(_PIXEL_FORMATS)}")
        self.format = format
        view = _view(data)
        if view is None or view.itemsize != 1:
            raise TypeError(f"data is a buffer of bytes, not {type(data).__name__}")
        self.data = _flat(view, "B")
        expected = _frame_bytes(self.width, self.height, format)
        if view.nbytes != expected:
            raise ValueError(
                f"a {self.width}x{self.height} {format} frame takes {expected} bytes, "
                f"not {view.nbytes}"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VideoFrame):
            return NotImplemented
        return (
            self.width == other.width
            and self.height == other.height
            and self.format == other.format
            and self.data == other.data
        )

    def __reduce__(self) -> "tuple[Any, ...]":
        return VideoFrame, (self.data.tobytes(), self.width, self.height, self.format)

    def __repr__(self) -> str:
        return f"<VideoFrame: {self.width}x{self.height} {self.format}>"


def _frame_bytes(width: int, height: int, format: str) -> int:
    chroma = ((width + 1) // 2) * ((height + 1) // 2) if format == "yuv420p" else 0
    return _PIXEL_FORMATS[format] * width * height + 2 * chroma


class Tensor:
    """Numbers of one type in rows, columns and further dimensions; the last dimension's are
    adjacent.

    `shape` is how many elements each dimension has; an empty one is a single number. `dtype` is one
    of `bool`, `u8`, `i8`, `u16`, `i16`, `u32`, `i32`, `u64`, `i64`, `f32`, `f64`. `data` is a
    contiguous buffer of such numbers, or bytes that hold them, little-endian; both are kept as they
    are and not copied. Any other iterable is copied; it gives all elements, one after the other.
    """

    __slots__ = ("data", "shape", "dtype")

    data: memoryview
    """The elements; `data[row, column]` is one of them. With a side of zero, one empty
    dimension."""

    shape: "tuple[int, ...]"
    """How many elements each dimension has."""

    dtype: str
    """The type of the elements."""

    def __init__(
        self,
        data: "bytes | memoryview | Iterable[float]",
        shape: "Iterable[int]",
        dtype: str = "f32",
    ) -> None:
        code = _DTYPES.get(dtype)
        if code is None:
            raise ValueError(f"no element type {dtype!r}; known: {', '.join(_DTYPES)}")
        self.dtype = dtype
        self.shape = shape = _shape(shape)
        what = f"a tensor of shape {list(shape)} and type {dtype}"
        expected = _SIZES[code]
        for side in shape:
            expected *= side
            if expected > maxsize:
                raise ValueError(f"{what} is larger than this machine can address")
        view = _elements(data, dtype, code)
        if view.nbytes != expected:
            raise ValueError(f"{what} takes {expected} bytes, not {view.nbytes}")
        if view.format == code and view.shape == shape:
            self.data = view
        elif not expected:
            self.data = memoryview(b"").cast(code)
        else:
            self.data = _flat(view, "B").cast(code, shape)

    def tolist(self) -> "Any":
        """The elements as Python's numbers, in nested lists; without dimensions, the number."""
        return self.data.tolist() if self.data.nbytes else _empty_lists(self.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tensor):
            return NotImplemented
        return self.dtype == other.dtype and self.shape == other.shape and self.data == other.data

    def __reduce__(self) -> "tuple[Any, ...]":
        return Tensor, (self.data.tobytes(), self.shape, self.dtype)

    def __repr__(self) -> str:
        return f"<Tensor: {list(self.shape)} {self.dtype}>"


def _shape(shape: "Any") -> "tuple[int, ...]":
    try:
        sides = tuple(shape)
    except TypeError:
        kind = type(shape).__name__
        raise TypeError(f"shape is a sequence of integers, not {kind}") from None
    if len(sides) > _MAX_DIMENSIONS:
        raise ValueError(f"a tensor has up to {_MAX_DIMENSIONS} dimensions, not {len(sides)}")
    return tuple([_integer(side, "each side of a shape", 0, maxsize) for side in sides])


def _elements(data: "Any", dtype: str, code: str) -> memoryview:
    view = _view(data)
    if view is None:
        try:
            return _packed(data, code)
        except TypeError as error:
            raise TypeError(f"data is not a sequence of {dtype}: {error}") from None
        except _StructError as error:
            raise ValueError(f"data is not a sequence of {dtype}: {error}") from None
    if view.format == "B" or _is_same_number(view, code):
        return view
    raise TypeError(f"data is a buffer of {dtype} or of bytes, not of the format {view.format!r}")


def _empty_lists(shape: "tuple[int, ...]") -> "list[Any]":
    return [_empty_lists(shape[1:]) for _ in range(shape[0])]


class Packet:
    """A value to send with more than itself: what `process` and `flush` may return or yield.

    `output` names the output that it leaves on; the main one has no name. `session` and
    `timestamp_us` (microseconds on the stream's own clock) replace those of the packet that the
    node is working on. `Packet(None)` sends `None`, which is otherwise no output.
    """

    __slots__ = ("data", "output", "session", "timestamp_us")

    def __init__(
        self,
        data: "Any",
        *,
        output: "str | None" = None,
        session: "str | None" = None,
        timestamp_us: "int | None" = None,
    ) -> None:
        self.data = data
        self.output = _text(output, "output")
        self.session = _text(session, "session")
        if timestamp_us is not None:
            timestamp_us = _integer(timestamp_us, "timestamp_us", -_MAX_I64 - 1, _MAX_I64)
        self.timestamp_us = timestamp_us

    def _fields(self) -> "tuple[Any, ...]":
        return self.data, self.output, self.session, self.timestamp_us

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packet):
            return NotImplemented
        return self._fields() == other._fields()

    def __repr__(self) -> str:
        given = [
            f", {name}={value!r}"
            for name, value in zip(self.__slots__[1:], self._fields()[1:])
            if value is not None
        ]
        return f"Packet({self.data!r}{''.join(given)})"


class Metadata:
    """What is known about a value beside the value itself."""

    __slots__ = ("session", "timestamp_us", "sequence")

    session: "str | None"
    """The session that the value belongs to, where one stream carries several."""

    timestamp_us: "int | None"
    """When the value belongs, in microseconds on the stream's own clock."""

    sequence: int
    """The number of the item that it came from, from 0; in `flush` the number after the last
    item."""

    def __init__(
        self, session: "str | None" = None, timestamp_us: "int | None" = None, sequence: int = 0
    ) -> None:
        self.session = session
        self.timestamp_us = timestamp_us
        self.sequence = sequence

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Metadata):
            return NotImplemented
        return self._fields() == other._fields()

    def __repr__(self) -> str:
        session, timestamp_us, sequence = self._fields()
        return f"Metadata({session=}, {timestamp_us=}, {sequence=})"

    def _fields(self) -> "tuple[str | None, int | None, int]":
        return self.session, self.timestamp_us, self.sequence


# Set by the engine for each packet before the node sees it: `(session, timestamp_us, sequence)`,
# and the packet's value; `_data` is None outside of `process`.
_current: "tuple[str | None, int | None, int]" = (None, None, 0)
_data: "Any" = None


def current() -> Metadata:
    """The metadata of the packet that the node is working on."""
    return Metadata(*_current)


class SessionState:
    """What a node keeps for one session; used like a dictionary.

    It can be awaited and then gives itself, so that code with `await node.get_session_state()`
    works.
    """

    __slots__ = ("session_id", "data", "created_at", "last_accessed")

    session_id: str
    """Whose state this is."""

    data: "dict[Any, Any]"
    """The state itself."""

    created_at: float
    """When it was made, on the clock of `time.monotonic()`."""

    last_accessed: float
    """When the node last asked for it, on the same clock."""

    def __init__(self, session_id: str, now: "float | None" = None) -> None:
        self.session_id = session_id
        self.data = {}
        self.created_at = self.last_accessed = monotonic() if now is None else now

    def get(self, key: "Any", default: "Any" = None) -> "Any":
        """The value of `key`, or `default`."""
        return self.data.get(key, default)

    def set(self, key: "Any", value: "Any") -> None:
        """Keep `value` as `key`."""
        self.data[key] = value

    def setdefault(self, key: "Any", default: "Any" = None) -> "Any":
        """The value of `key`, which is `default` from now on if there was none."""
        return self.data.setdefault(key, default)

    def update(self, *updates: "Any", **values: "Any") -> None:
        """Keep all of a dictionary, or of keyword arguments."""
        self.data.update(*updates, **values)

    def delete(self, key: "Any") -> None:
        """Forget `key`, if it is there."""
        self.data.pop(key, None)

    def pop(self, key: "Any", *default: "Any") -> "Any":
        """Forget `key` and return its value."""
        return self.data.pop(key, *default)

    def clear(self) -> None:
        """Forget everything."""
        self.data.clear()

    def keys(self) -> "KeysView[Any]":
        """The keys, in the order in which they came."""
        return self.data.keys()

    def values(self) -> "ValuesView[Any]":
        """The values, in the order of the keys."""
        return self.data.values()

    def items(self) -> "ItemsView[Any, Any]":
        """Pairs of key and value."""
        return self.data.items()

    def __getitem__(self, key: "Any") -> "Any":
        return self.data[key]

    def __setitem__(self, key: "Any", value: "Any") -> None:
        self.data[key] = value

    def __delitem__(self, key: "Any") -> None:
        del self.data[key]

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def __iter__(self) -> "Iterator[Any]":
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        # `if state:` asks whether there is one, not whether anything is in it.
        return True

    def __await__(self) -> "Generator[Any, None, SessionState]":
        return self
        yield

    def __repr__(self) -> str:
        return f"SessionState({self.session_id!r}, {self.data!r})"


class SessionStates:
    """The states of a node's sessions, within bounds.

    A session that nobody asked for during `ttl` seconds (or a `timedelta`) is forgotten, and when
    there are more than `max_sessions`, so is the one that was not asked for the longest. `None` is
    no bound. There is no timer: what is due is forgotten when the next session is asked for.
    """

    __slots__ = ("ttl", "max_sessions", "_states", "_clock")

    def __init__(
        self, ttl: "Any" = 3600.0, max_sessions: "int | None" = 1000, clock: "Any" = monotonic
    ) -> None:
        seconds = getattr(ttl, "total_seconds", None)
        self.ttl = ttl if seconds is None else seconds()
        if self.ttl is not None:
            if isinstance(self.ttl, bool) or not isinstance(self.ttl, (int, float)):
                raise TypeError(f"state_ttl is a number of seconds, not {type(ttl).__name__}")
            if not self.ttl > 0:
                raise ValueError(f"state_ttl is above 0 seconds, not {self.ttl}")
        self.max_sessions = (
            None if max_sessions is None else _integer(max_sessions, "max_sessions", 1, maxsize)
        )
        # In the order in which they were last asked for. A dict would have to search for its first
        # entry behind all those that were removed before it.
        self._states = OrderedDict()
        self._clock = clock

    def get(self, session_id: str) -> SessionState:
        """The state of a session, new or as it was left."""
        now = self._clock()
        self._expire(now)
        states = self._states
        state = states.get(session_id)
        if state is None:
            if self.max_sessions is not None and len(states) >= self.max_sessions:
                states.popitem(last=False)
            state = states[session_id] = SessionState(session_id, now)
        else:
            state.last_accessed = now
            states.move_to_end(session_id)
        return state

    def remove(self, session_id: str) -> bool:
        """Forget a session; whether there was one."""
        return self._states.pop(session_id, None) is not None

    def ids(self) -> "list[str]":
        """The sessions, the one that was not asked for the longest first."""
        self._expire(self._clock())
        return list(self._states)

    def __len__(self) -> int:
        self._expire(self._clock())
        return len(self._states)

    def _expire(self, now: float) -> None:
        if self.ttl is None:
            return
        states = self._states
        while states:
            oldest = states[next(iter(states))]
            if now - oldest.last_accessed < self.ttl:
                return
            states.popitem(last=False)


class _Done:
    """What is done already, and can be awaited nevertheless."""

    __slots__ = ()

    def __await__(self) -> "Generator[Any, None, None]":
        return
        yield


DONE = _Done()


for _class in (Audio, VideoFrame, Tensor, Packet, Metadata, SessionState, SessionStates):
    # Where nodes import it from, for messages and tracebacks.
    _class.__module__ = "remotemedia"
del _class
