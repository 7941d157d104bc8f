"""`sys.stdout` and `sys.stderr` of the sandbox.

While an application is packed, what it prints is kept and handed to the packer. Writing through to the host then would
also leave handles of the packing host in the frozen memory, which mean nothing to the host that runs it.
"""

import io
import posix
import sys

_kept = []
_packing = True
# Whether anything may wait in a buffer; asking the streams would cost more than most nodes take for an item.
_dirty = False


class Stream(io.RawIOBase):
    def __init__(self, descriptor):
        self._descriptor = descriptor
        self.name = "<stdout>" if descriptor == 1 else "<stderr>"
        self.mode = "wb"

    def writable(self):
        return True

    def fileno(self):
        return self._descriptor

    def write(self, data):
        if _packing:
            _kept.append((self._descriptor, bytes(data)))
            return len(data)
        return posix.write(self._descriptor, data)


class Buffer(io.BufferedWriter):
    def write(self, data):
        global _dirty
        _dirty = True
        return super().write(data)


class Text(io.TextIOWrapper):
    def write(self, text):
        global _dirty
        _dirty = True
        return super().write(text)


def install():
    for name, descriptor, errors in (("stdout", 1, "backslashreplace"), ("stderr", 2, "backslashreplace")):
        stream = Text(
            Buffer(Stream(descriptor)), encoding="utf-8", errors=errors, newline="\n", line_buffering=True
        )
        stream.mode = "w"
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.stdin = sys.__stdin__ = None


def flush():
    global _dirty
    # A program may have put streams of its own in place of these.
    if not _dirty and sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__:
        return
    _dirty = False
    for stream in (sys.stdout, sys.stderr):
        # A program may put anything there, and a failing flush must not replace the answer.
        try:
            stream.flush()
        except Exception:
            pass


def release():
    """End packing: from here on output goes to the host. Returns what was kept, as `(descriptor, bytes)`."""
    global _packing
    flush()
    kept = _kept[:]
    _kept.clear()
    _packing = False
    return kept
