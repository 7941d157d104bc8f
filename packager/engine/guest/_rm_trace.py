"""Notes which code runs, for the packager to keep it: `rm-pack build --trace`.

What ran while the nodes were imported is handed over when packing asks for it. What runs later is
written to standard output as it comes, in lines that the packager takes out again: no other way
leads out of a node while it works.
"""

import posix
import sys

# One of the numbers that `sys.monitoring` leaves to whoever wants one.
TOOL = 4
MARK = "\x1erm-pack ran"

_ran = set()
_is_packing = False


def start():
    global _is_packing
    _is_packing = True
    monitoring = sys.monitoring
    monitoring.use_tool_id(TOOL, "rm-pack")
    monitoring.register_callback(TOOL, monitoring.events.PY_START, _note)
    monitoring.set_events(TOOL, monitoring.events.PY_START)


def stop_packing():
    """Hand over what ran so far, as `(module, line)`."""
    global _is_packing
    _is_packing = False
    ran = sorted(_ran)
    return ran


def _note(code, _offset):
    # Text that was run has lines of its own.
    if not code.co_filename.startswith("<"):
        module = sys._getframe(1).f_globals.get("__name__")
        place = module, code.co_firstlineno
        if type(module) is str and place not in _ran:
            _ran.add(place)
            if not _is_packing:
                posix.write(1, f"{MARK} {module} {code.co_firstlineno}\n".encode())
    # Once is enough.
    return sys.monitoring.DISABLE
