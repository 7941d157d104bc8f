"""Exceptions as plain data, so that the host can show them without asking again."""

# Of a deep recursion only both ends are worth showing.
FRAMES_SHOWN = 16
# Of equal frames in a row, as Python itself does it.
REPEATS_SHOWN = 3
CHAIN_SHOWN = 16


def describe(error, depth=0):
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    described = {
        "type": name,
        "message": _text(error),
        "frames": _frames(error.__traceback__),
        "notes": [str(note) for note in getattr(error, "__notes__", ())],
    }
    if isinstance(error, SyntaxError):
        described["syntax"] = (error.filename, error.lineno, error.offset, error.text)
        described["message"] = str(error.msg)
    if isinstance(error, ImportError):
        described["missing"] = error.name
    if depth < CHAIN_SHOWN:
        if error.__cause__ is not None:
            described["cause"] = describe(error.__cause__, depth + 1)
        elif error.__context__ is not None and not error.__suppress_context__:
            described["context"] = describe(error.__context__, depth + 1)
        if isinstance(error, BaseExceptionGroup):
            described["group"] = [describe(part, depth + 1) for part in error.exceptions[:CHAIN_SHOWN]]
    return described


def _text(error):
    try:
        return str(error)
    except Exception:
        return "<the exception's own text could not be made>"


def _frames(traceback):
    frames = []
    repeats = 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        # The engine's own frames and those of the import system say nothing to the author of a node.
        if not code.co_filename.startswith(("<frozen _rm_", "<frozen _remotemedia", "<frozen importlib")):
            frame = (code.co_filename, traceback.tb_lineno or code.co_firstlineno, code.co_qualname)
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


# Given up where memory is full, so that there is room to say so: more than Python asks for at a time.
RESERVED = 512 * 1024
_reserve = bytes(RESERVED)


def make_room(error):
    """Free memory if an exception tells that it is full: what is kept for that, and what the exception's frames hold."""
    global _reserve
    if not isinstance(error, MemoryError):
        return
    _reserve = None
    while error is not None:
        traceback = error.__traceback__
        while traceback is not None:
            try:
                traceback.tb_frame.clear()
            except RuntimeError:  # it is running
                pass
            traceback = traceback.tb_next
        error = error.__context__


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
