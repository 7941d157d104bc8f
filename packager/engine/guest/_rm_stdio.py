"""`sys.stdout` and `sys.stderr` of the sandbox.

While an application is packed, what it prints is kept and handed to the packer. Writing through to
the host then would also leave handles of the packing host in the frozen memory, which mean nothing
to the host that runs it.
"""

import io
import posix
import sys

from _rm_removed import RemovedError

_kept = []
_packing = True
# Whether anything may wait in a buffer; asking the streams would cost more than most nodes take for
# an item.
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
    global _out, _err
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = Text(
            Buffer(Stream(descriptor)),
            encoding="utf-8",
            errors="backslashreplace",
            newline="\n",
            line_buffering=True,
        )
        stream.mode = "w"
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    _out, _err = sys.stdout, sys.stderr
    sys.stdin = sys.__stdin__ = None


def flush():
    global _dirty
    # A program may have put streams of its own in place of these, or taken them away.
    out, err = getattr(sys, "stdout", None), getattr(sys, "stderr", None)
    if not _dirty and out is _out and err is _err:
        return
    _dirty = False
    for stream in (out, err):
        # A program may put anything there, and a failing flush must not replace the answer.
        try:
            stream.flush()
        except BaseException as error:
            if type(error) is RemovedError:
                _tell(error)


def _tell(error):
    """Say that something is missing where no answer can."""
    try:
        _err.write(f"rm-pack: {error}\n")
        _err.flush()
    except BaseException:  # the program may have closed it
        pass


def release():
    """End packing: from here on output goes to the host. Returns what was kept, as `(descriptor,
    bytes)`."""
    global _packing
    flush()
    kept = _kept[:]
    _kept.clear()
    _packing = False
    return kept
