"""The guest in Pyodide: what a host calls there.

    import _rm_pyodide
    _rm_pyodide.start(to_js)
    [payload, ...buffers] = _rm_pyodide.dispatch(operation, payload, buffers)

Payload and buffers are byte arrays of JavaScript, on the way in and on the way out; `to_js` is
Pyodide's.
"""

import sys

import _rm_absent
import _rm_boot
import _rm_guest
import _rm_stdio

_to_js = None


def start(to_js=None):
    """To be called once, when Pyodide has booted and the application's wheels are on the path."""
    global _to_js
    _to_js = to_js
    import _rm_application

    _rm_boot.learn(_rm_application)
    _rm_guest.set_stdlib_names(_rm_application.STDLIB.split())
    _rm_absent.set_own(_rm_application.ABSENT.split())
    if "asyncio" in sys.modules:
        # Pyodide's own event loop leaves waiting to the browser; this one to the executor.
        __import__("_rm_loop").install()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("js", "pyodide_js")]:
        # The page is nothing to a node, which would run nowhere else.
        del sys.modules[name]
    _rm_stdio.release()


def dispatch(operation, payload, buffers):
    answer, given = _rm_guest.dispatch(
        operation, payload.to_bytes(), [buffer.to_bytes() for buffer in buffers]
    )
    return _to_js([answer, *(memoryview(buffer).cast("B") for buffer in given)])
