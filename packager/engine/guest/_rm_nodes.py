"""The node contract, on the Python side: build a node, feed it, and hand over what it gives.

Work on a node begins with one request and may take several: `resume` asks it to go on. An answer to
any of them is the list of outputs, which means that the work is done, or `(outputs, state, delay,
envelopes)`:

- `state` is DONE, MORE (resume it when there is room for more outputs: what is yielded leaves
  before the node goes on) or WAITING (resume it after `delay` seconds). A streaming node that is
  DONE with an item may give a `delay` too: it has a timer running, and something to do then even if
  no item comes.
- `envelopes` says for outputs that were a `Packet` where they go and what is said about them:
  `(index, output, session, timestamp_us)`.
"""

import sys

import _remotemedia
import _rm_errors
import _rm_importer

DONE, MORE, WAITING = range(3)

CO_VARARGS = 0x04
CO_VARKEYWORDS = 0x08


async def _coroutine():
    pass


async def _async_generator():
    yield


_probe = _coroutine()
_Coroutine = type(_probe)
_probe.close()
_Generator = type(_ for _ in ())
_AsyncGenerator = type(_async_generator())

# What a plain function gives nearly always.
_PLAIN = frozenset((dict, str, int, float, bool, list, tuple, bytes, _remotemedia.Audio))

_nodes = {}


class _Node:
    """A node, and the work it is at."""

    __slots__ = ("node", "process", "stream", "jobs", "outputs")

    def __init__(self, node):
        self.node = node
        self.process = getattr(node, "process", None)
        # The input of a node that takes the whole stream.
        self.stream = None
        # What is to be done, the last one first.
        self.jobs = []
        self.outputs = []


class _Gate:
    """Something that a coroutine awaits until it is opened."""

    def __init__(self):
        self._future = None
        self.is_open = False

    def open(self):
        self.is_open = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def __await__(self):
        loop = sys.modules.get("_rm_loop")
        running = loop and loop.events._get_running_loop()
        if running is not None:
            self._future = running.create_future()
            yield from self._future
        else:
            while not self.is_open:
                yield self


class _Stream:
    """The input of a streaming node, an asynchronous iterator. The host feeds an item when the one
    before was taken and the next one is asked for."""

    def __init__(self):
        self._items = []
        self._ended = False
        self._gate = None

    def __aiter__(self):
        return self

    async def __anext__(self):
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            if self._gate is not None and not self._gate.is_open:
                raise RuntimeError("two parts of the node ask for the next item at the same time")
            self._gate = _Gate()
            await self._gate
        return self._items.pop(0)

    @property
    def is_waiting(self):
        return self._gate is not None and not self._gate.is_open

    def feed(self, item):
        self._items.append(item)
        self._open()

    def end(self):
        self._ended = True
        self._open()

    def _open(self):
        if self._gate is not None:
            self._gate.open()


class _Pull:
    """The work of going through a generator."""

    def __init__(self, node, generator):
        self._node = node
        self._generator = generator

    def step(self):
        for output in self._generator:
            if output is not None:
                self._node.outputs.append(output)
                return MORE, None
        return DONE, None

    def close(self):
        self._generator.close()


class _Await:
    """The work of seeing a coroutine through: on the event loop, or by hand where `asyncio` is not
    in the program."""

    def __init__(self, node, main):
        self._node = node
        self._room = None
        self._has_begun = False
        self._coroutine = main(self)
        loop = _event_loop()
        self._loop = loop
        self._task = None
        if loop is not None:
            with loop:
                self._task = sys.modules["asyncio"].Task(
                    self._coroutine, loop=loop, eager_start=True
                )

    async def give(self, output):
        """Give an output, and wait until it has left."""
        if output is not None:
            self._node.outputs.append(output)
            self._room = _Gate()
            await self._room

    def step(self):
        if self._room is not None:
            if not self._has_begun:
                # Given before the first step, so it has not left yet.
                self._has_begun = True
                return MORE, None
            room, self._room = self._room, None
            room.open()
        self._has_begun = True
        delay = self._run()
        if self._is_done():
            return DONE, None
        if self._room is not None:
            return MORE, None
        stream = self._node.stream
        if stream is not None and stream.is_waiting:
            return DONE, delay
        if delay is None:
            raise RuntimeError(
                "the node waits for something that nothing in this program will bring about"
            )
        return WAITING, delay

    def _run(self):
        if self._loop is not None:
            return self._loop.run_ready()
        try:
            awaited = self._coroutine.send(None)
        except StopIteration:
            self._coroutine = None
        else:
            if not isinstance(awaited, _Gate):
                raise RuntimeError(
                    f"the node awaits {awaited!r}, which needs an event loop; import asyncio"
                )
        return None

    def _is_done(self):
        if self._task is None:
            return self._coroutine is None
        if self._task.done():
            # Raises what the coroutine raised.
            self._task.result()
            return True
        return False

    def close(self):
        if self._task is not None:
            self._task.cancel()
            self._loop.run_ready()
        elif self._coroutine is not None:
            self._coroutine.close()


class _Raise:
    """An exception that has to wait until the outputs before it have left."""

    def __init__(self, error):
        self._error = error

    def step(self):
        raise self._error

    def close(self):
        pass


def _event_loop():
    """The event loop, unless `asyncio` is not in the program, so that nothing could await
    anything."""
    if "asyncio" not in sys.modules:
        if not _rm_importer.carries("asyncio"):
            return None
        import asyncio  # noqa: F401 (imported inside a function of the node, perhaps)
    import _rm_loop

    return _rm_loop.shared()


def _job(node, result):
    """What is left to do about something that a node's method returned."""
    kind = type(result)
    if result is None or kind in _PLAIN:
        pass
    elif kind is _Generator:
        return _Pull(node, result)
    elif kind is _AsyncGenerator:
        return _Await(node, lambda job: _give_all(job, result))
    elif kind is _Coroutine or hasattr(kind, "__await__"):
        return _Await(node, lambda job: _give_one(node, result))
    if result is not None:
        node.outputs.append(result)
    return None


async def _give_one(node, awaitable):
    output = await awaitable
    if output is not None:
        node.outputs.append(output)


async def _give_all(job, generator):
    try:
        async for output in generator:
            await job.give(output)
    finally:
        await generator.aclose()


async def _give_stream(job, node):
    """All of a streaming node's work: `process` over the stream, then what `process` left of it,
    then `flush`."""
    stream = node.stream
    result = node.process(stream)
    kind = type(result)
    if kind is _AsyncGenerator:
        await _give_all(job, result)
    elif kind is _Coroutine or hasattr(kind, "__await__"):
        await _give_one(node, result)
    else:
        raise TypeError(
            f"{type(node.node).__qualname__} takes the whole stream, so its process must be "
            "asynchronous: async def process(self, stream), with `async for item in stream`"
        )
    async for _ in stream:
        pass


def _begin(node, *calls):
    """Set out to do these calls, one after the other, and whatever they give to do."""
    if node.jobs:
        # Cut short: nobody wants the rest of what it was at.
        _close(node)
    node.jobs = [*reversed(calls)]
    return _go_on(node)


def _go_on(node):
    state, delay = DONE, None
    try:
        while node.jobs:
            job = node.jobs[-1]
            if not hasattr(job, "step"):
                node.jobs.pop()
                job = _job(node, job())
                if job is None:
                    continue
                node.jobs.append(job)
            state, delay = job.step()
            # A streaming node's work is never done before the end of its input.
            if state != DONE or node.stream is not None and node.stream.is_waiting:
                break
            node.jobs.pop()
    except BaseException as error:
        _rm_errors.make_room(error)
        _close(node)
        if not node.outputs:
            raise
        node.jobs = [_Raise(error)]
        state, delay = MORE, None
    return _answer(node, state, delay)


def _close(node):
    """Give up what a node is at."""
    jobs, node.jobs = node.jobs, []
    while jobs:
        job = jobs.pop()
        if hasattr(job, "step"):
            job.close()


def _answer(node, state, delay):
    outputs, node.outputs = node.outputs, []
    envelopes = None
    for index, output in enumerate(outputs):
        if type(output) is _remotemedia.Packet:
            outputs[index] = output.data
            envelopes = envelopes or []
            envelopes.append((index, output.output, output.session, output.timestamp_us))
    if state == DONE and delay is None and envelopes is None:
        return outputs
    return outputs, state, delay, envelopes


def check_class(module, class_name):
    """Whether `class_name` in `module` can be a node, and what kind: `(takes the whole stream, is a
    source)`."""
    cls = _resolve(module, class_name)
    return _check_process(cls, class_name)


def _resolve(module, class_name):
    __import__(module)
    cls = sys.modules[module]
    for part in class_name.split("."):
        cls = getattr(cls, part)
    return cls


def _check_process(cls, class_name):
    process = getattr(cls, "process", None)
    if not callable(process):
        raise TypeError(f"{class_name} has no method process(self, data)")
    return bool(getattr(cls, "is_streaming", False)), _is_source(cls, process)


def _is_source(cls, process):
    """Whether a class's method takes nothing but `self`, which one that is static has not."""
    found = (base.__dict__["process"] for base in cls.__mro__ if "process" in base.__dict__)
    bound = 0 if isinstance(next(found, None), staticmethod) else 1
    while hasattr(process, "__wrapped__"):
        process = process.__wrapped__
    code = getattr(process, "__code__", None)
    return code is not None and code.co_argcount == bound and not code.co_flags & CO_VARARGS


def create(node_id, module, class_name, params, is_streaming):
    """Build and initialise the node `node_id`: an instance of `class_name` in `module`."""
    cls = _resolve(module, class_name)
    _check_process(cls, class_name)
    node = _nodes[node_id] = _Node(_construct(cls, node_id, params))
    if is_streaming:
        node.stream = _Stream()
    return _begin(node, lambda: _initialize(node))


def _initialize(node):
    return _nothing(_call_if_present(node.node, "initialize"))


def _nothing(result):
    """What is left to do about the result of a method that gives no output."""
    if result is None or result is _remotemedia.DONE or not hasattr(result, "__await__"):
        return None
    return _ignoring_result(result)


async def _ignoring_result(awaitable):
    await awaitable


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
                raise TypeError(
                    f"{cls.__qualname__} does not take the params {names}, and has no place for "
                    "them"
                ) from None
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


def process(node_id, data, session, timestamp_us, sequence):
    """One item in."""
    node = _nodes[node_id]
    _remotemedia._current = (session, timestamp_us, sequence)
    _remotemedia._data = data
    if node.stream is not None:
        return _feed(node, data)
    output = node.process(data)
    if output is None:
        return []
    if type(output) in _PLAIN:
        return [output]
    return _begin(node, lambda: output)


def _feed(node, data):
    if not node.jobs:
        _start_stream(node)
    node.stream.feed(data)
    return _go_on(node)


def _start_stream(node):
    node.stream = _Stream()
    node.jobs = [_Await(node, lambda job: _give_stream(job, node))]


def generate(node_id):
    """All that a source gives."""
    node = _nodes[node_id]
    return _begin(node, node.process, lambda: _call_if_present(node.node, "flush"))


def resume(node_id):
    """Go on with what was begun; a streaming node begins with it before its first item comes."""
    node = _nodes[node_id]
    if node.stream is not None and not node.jobs:
        _start_stream(node)
    return _go_on(node)


def flush(node_id):
    """End of the input."""
    node = _nodes[node_id]
    _remotemedia._data = None
    if node.stream is None:
        return _begin(node, lambda: _call_if_present(node.node, "flush"))
    if not node.jobs:
        _start_stream(node)
    node.jobs.insert(0, lambda: _call_if_present(node.node, "flush"))
    node.stream.end()
    return _go_on(node)


def cleanup(node_id):
    node = _nodes.get(node_id)
    if node is None:
        return []
    calls = [lambda: _clean_up(node)]
    try:
        _close(node)
    except BaseException as error:
        # Of a `finally` in a generator that is given up; the node's cleanup goes first.
        calls.append(_Raise(error))
    node.stream = None
    return _begin(node, *calls)


def _clean_up(node):
    return _nothing(_call_if_present(node.node, "cleanup"))
