"""An event loop without sockets, and without waiting: it runs what is ready and says when to come
back.

Imported only where `asyncio` is, which is why it may import it.
"""

import time
from _thread import get_ident
from asyncio import base_events, events

# How long, in seconds, a loop runs before it gives the host a chance to do something else.
SLICE = 0.005


class _Selector:
    """Stands where other loops wait for sockets."""

    def __init__(self, may_wait):
        self._may_wait = may_wait

    def select(self, timeout):
        if self._may_wait:
            if timeout is None:
                raise RuntimeError(
                    "the event loop waits for something that nothing in this program will bring "
                    "about"
                )
            if timeout > 0:
                time.sleep(timeout)
        return ()

    def close(self):
        pass


class Loop(base_events.BaseEventLoop):
    """`may_wait` is for loops that a program runs by itself, as `asyncio.run` does."""

    def __init__(self, may_wait=False):
        super().__init__()
        self._selector = _Selector(may_wait)

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        # There are no threads that could wake this one.
        pass

    def run_ready(self):
        """Run what is ready or due; then say in how many seconds something will be, or None if
        nothing is planned."""
        end = self.time() + SLICE
        with self:
            while self._ready or self._next_delay() == 0:
                self._run_once()
                if self.time() >= end and self._ready:
                    return 0
        return self._next_delay()

    def __enter__(self):
        self._thread_id = get_ident()
        self._outer = events._get_running_loop()
        events._set_running_loop(self)

    def __exit__(self, *_):
        events._set_running_loop(self._outer)
        self._thread_id = None

    def _next_delay(self):
        while self._scheduled and self._scheduled[0]._cancelled:
            # Its own bookkeeping takes cancelled timers out of the heap, ready or not.
            self._run_once()
        if not self._scheduled:
            return None
        return max(0, self._scheduled[0]._when - self.time() - self._clock_resolution)


class _Policy(events._BaseDefaultEventLoopPolicy):
    @staticmethod
    def _loop_factory():
        return Loop(may_wait=True)


def install():
    """Let `asyncio.run` and `asyncio.new_event_loop` work."""
    events._set_event_loop_policy(_Policy())


_shared = None


def shared():
    """The loop that the nodes' coroutines run on."""
    global _shared
    if _shared is None:
        import sys

        _shared = Loop()
        sys.set_asyncgen_hooks(
            firstiter=_shared._asyncgen_firstiter_hook, finalizer=_shared._asyncgen_finalizer_hook
        )
    return _shared
