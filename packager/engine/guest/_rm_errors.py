"""Exceptions as plain data, so that the host can show them without asking again."""

import marshal

# Of a deep recursion only both ends are worth showing.
FRAMES_SHOWN = 16
# Of equal frames in a row, as Python itself does it.
REPEATS_SHOWN = 3
CHAIN_SHOWN = 16
# How much is told of an exception's text where nothing but that can be told.
BRIEF = 1000

# What every exception has, whatever its class says that it has.
_cause = BaseException.__cause__.__get__
_context = BaseException.__context__.__get__
_suppress_context = BaseException.__suppress_context__.__get__
_traceback = BaseException.__traceback__.__get__


def answer(error):
    """The answer that tells of an exception, in `marshal` format.

    It does not raise. An exception's class is the program's, so that whatever is asked of it may
    raise, or be of any type.
    """
    try:
        make_room(error)
        return marshal.dumps((1, describe(error)), 2)
    except BaseException:  # there is no memory, most likely
        brief = {"type": _name(type(error))[:BRIEF], "message": _text(error)[:BRIEF]}
        return marshal.dumps((1, brief), 2)


def describe(error, depth=0):
    """An exception as what `marshal` takes: plain texts and numbers, None for what is neither."""
    kind = type(error)
    described = {
        "type": _name(kind),
        "message": _text(error),
        "frames": _frames(_traceback(error)),
        "notes": _notes(error),
    }
    # Not `isinstance`, which asks the exception.
    if issubclass(kind, SyntaxError):
        described["syntax"] = (
            _text_of(error, "filename"),
            _number_of(error, "lineno"),
            _number_of(error, "offset"),
            _text_of(error, "text"),
        )
        described["message"] = _text(_attribute(error, "msg"))
    if issubclass(kind, ImportError):
        described["missing"] = _text_of(error, "name")
    if depth < CHAIN_SHOWN:
        if _cause(error) is not None:
            described["cause"] = describe(_cause(error), depth + 1)
        elif _context(error) is not None and not _suppress_context(error):
            described["context"] = describe(_context(error), depth + 1)
        if issubclass(kind, BaseExceptionGroup):
            parts = BaseExceptionGroup.exceptions.__get__(error)[:CHAIN_SHOWN]
            described["group"] = [describe(part, depth + 1) for part in parts]
    return described


def _attribute(owner, name):
    try:
        return getattr(owner, name, None)
    except BaseException:
        return None


# `marshal` refuses what is of a class derived from `str` or `int`, as members of enumerations are.


def _text_of(owner, name):
    value = _attribute(owner, name)
    return str.__str__(value) if issubclass(type(value), str) else None


def _number_of(owner, name):
    value = _attribute(owner, name)
    return int.__int__(value) if issubclass(type(value), int) else None


def _text(value):
    try:
        return str.__str__(str(value))
    except BaseException:
        return "<the exception's own text could not be made>"


def _name(kind):
    name = _text_of(kind, "__qualname__") or "<a class without a name>"
    module = _text_of(kind, "__module__")
    return name if module in (None, "builtins", "__main__") else f"{module}.{name}"


def _notes(error):
    notes = _attribute(error, "__notes__")
    if notes is None:
        return []
    # As Python does it, whatever else stands there is shown as one.
    return [_text(note) for note in (notes if type(notes) in (list, tuple) else (notes,))]


def _frames(traceback):
    frames = []
    repeats = 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file, function = _text_of(code, "co_filename"), _text_of(code, "co_qualname")
        # The engine's own frames and those of the import system say nothing to the author of a
        # node.
        if not file.startswith(("<frozen _rm_", "<frozen _remotemedia", "<frozen importlib")):
            frame = (file, traceback.tb_lineno or code.co_firstlineno, function)
            if frames[-REPEATS_SHOWN:] == [frame] * REPEATS_SHOWN:
                repeats += 1
            else:
                if repeats:
                    frames.append(("", repeats, ""))
                    repeats = 0
                frames.append(frame)
        traceback = traceback.tb_next
    if repeats:
        frames.append(("", repeats, ""))
    if len(frames) > 2 * FRAMES_SHOWN:
        omitted = len(frames) - 2 * FRAMES_SHOWN
        frames[FRAMES_SHOWN:-FRAMES_SHOWN] = [("", omitted, "")]
    return frames


# Given up where memory is full, so that there is room to say so: more than Python asks for at a
# time.
RESERVED = 512 * 1024
_reserve = bytes(RESERVED)


def make_room(error):
    """Free memory if an exception tells that it is full.

    What is let go of is what was kept for that, and what the exception's frames hold.
    """
    global _reserve
    if not issubclass(type(error), MemoryError):
        return
    _reserve = None
    # A program can close a circle of them.
    for _ in range(CHAIN_SHOWN):
        if error is None:
            break
        traceback = _traceback(error)
        while traceback is not None:
            try:
                traceback.tb_frame.clear()
            except RuntimeError:  # it is running
                pass
            traceback = traceback.tb_next
        error = _context(error)


def reserve():
    """Keep room for the next time that memory is full."""
    global _reserve
    if _reserve is None:
        try:
            _reserve = bytes(RESERVED)
        except MemoryError:  # the node holds what it filled memory with
            pass


def forget():
    """Let go of the last exception, which would keep its frames alive."""
    import sys

    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        if hasattr(sys, name):
            delattr(sys, name)
