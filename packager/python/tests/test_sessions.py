"""Checks of `SessionState`, `SessionStates` and what `Node` makes of them."""

import asyncio
import sys
import unittest
from datetime import timedelta
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import _remotemedia  # noqa: E402
from remotemedia import Metadata, Node, SessionState, SessionStates  # noqa: E402


class State(unittest.TestCase):
    """One session's state."""

    def test_is_like_a_dictionary(self) -> None:
        state = SessionState("a")
        self.assertTrue(state)
        self.assertEqual((len(state), state.get("x"), state.get("x", 5)), (0, None, 5))
        state["x"] = 1
        state.set("y", 2)
        state.update({"z": 3}, w=4)
        self.assertEqual(state.setdefault("x", 9), 1)
        self.assertEqual(list(state), ["x", "y", "z", "w"])
        self.assertEqual(dict(state), {"x": 1, "y": 2, "z": 3, "w": 4})
        self.assertEqual(list(state.items()), list(zip(state.keys(), state.values())))
        self.assertIn("x", state)
        del state["x"]
        state.delete("y")
        state.delete("y")
        self.assertEqual((state.pop("z"), state.pop("z", None)), (3, None))
        self.assertEqual(repr(state), "SessionState('a', {'w': 4})")
        state.clear()
        self.assertRaises(KeyError, lambda: state["w"])
        self.assertRaises(KeyError, state.pop, "w")
        with self.assertRaises(KeyError):
            del state["w"]

    def test_can_be_awaited(self) -> None:
        async def ask(state: SessionState) -> SessionState:
            return await state

        state = SessionState("a")
        self.assertIs(asyncio.run(ask(state)), state)


class States(unittest.TestCase):
    """The store."""

    def setUp(self) -> None:
        self.now = 0.0

    def store(self, ttl: object = 10.0, max_sessions: int | None = 3) -> SessionStates:
        return SessionStates(ttl, max_sessions, lambda: self.now)

    def test_forgets_the_least_recently_used(self) -> None:
        states = self.store()
        for name in "abca":
            states.get(name)["seen"] = name
        states.get("d")
        self.assertEqual(states.ids(), ["c", "a", "d"])
        self.assertEqual(len(states), 3)
        self.assertEqual(states.get("a")["seen"], "a")
        self.assertEqual(len(states.get("b")), 0)
        self.assertEqual(states.ids(), ["d", "a", "b"])

    def test_forgets_what_nobody_asked_for(self) -> None:
        states = self.store()
        states.get("a")["x"] = 1
        self.now = 6.0
        states.get("b")
        self.now = 9.75
        self.assertEqual(states.get("a")["x"], 1)
        self.assertEqual((states.get("a").created_at, states.get("a").last_accessed), (0.0, 9.75))
        self.now = 16.0
        self.assertEqual(states.ids(), ["a"])
        self.now = 19.75
        self.assertEqual(len(states.get("a")), 0)
        self.assertEqual(states.get("a").created_at, 19.75)
        self.now = 100.0
        self.assertEqual(len(states), 0)

    def test_without_bounds(self) -> None:
        states = self.store(None, None)
        for number in range(2000):
            self.now += 1e9
            states.get(str(number))
        self.assertEqual(len(states), 2000)

    def test_remove(self) -> None:
        states = self.store()
        states.get("a")
        self.assertEqual((states.remove("a"), states.remove("a"), states.ids()), (True, False, []))

    def test_refuses(self) -> None:
        self.assertEqual(self.store(timedelta(minutes=1)).ttl, 60.0)
        for ttl in (0, -1, float("nan"), timedelta(0)):
            self.assertRaisesRegex(ValueError, "state_ttl is above 0 seconds", self.store, ttl)
        for ttl in ("1", True):
            self.assertRaisesRegex(TypeError, "state_ttl is a number of", self.store, ttl)
        self.assertRaisesRegex(ValueError, "max_sessions is from 1", self.store, 1, 0)
        self.assertRaisesRegex(TypeError, "max_sessions is an integer", self.store, 1, "2")


class Counter(Node):
    """Counts what it gets, by session."""

    def process(self, data: object) -> int:
        state = self.get_session_state()
        state["count"] = state.get("count", 0) + 1
        return state["count"]


class Nodes(unittest.TestCase):
    """What `Node` adds."""

    def tearDown(self) -> None:
        self.packet(None)

    def packet(self, data: object, session: str | None = None) -> object:
        """Set what the engine sets before a node sees a packet."""
        _remotemedia._current = (session, None, 0)
        _remotemedia._data = data
        return data

    def test_which_session(self) -> None:
        node = Node()
        self.assertEqual(node.get_session_id(), "default")
        self.packet({"session_id": "data"})
        self.assertEqual(node.get_session_id(), "data")
        self.packet({"session_id": "data"}, "packet")
        self.assertEqual((node.get_session_id(), node.metadata.session), ("packet", "packet"))
        node.set_session_id("set")
        self.assertEqual(node.get_session_id(), "set")
        self.assertEqual(node.get_session_state().session_id, "set")
        self.assertEqual(node.get_session_state("asked").session_id, "asked")
        node.set_session_id(None)
        self.assertEqual(node.get_session_state().session_id, "packet")

    def test_extract(self) -> None:
        extract = Node().extract_session_id
        self.assertEqual(extract({"session_id": "a"}), "a")
        self.assertEqual(extract({"session_id": 7}), "7")
        self.assertEqual(extract((1, 2, {"session_id": "a"})), "a")
        for data in ({}, {"session_id": None}, [], (), (1,), "session_id", None, 5):
            self.assertIsNone(extract(data))

    def test_counts_by_session(self) -> None:
        node = Counter(max_sessions=2)
        counts = [node.process(self.packet(None, session)) for session in "abaabcacb"]
        self.assertEqual(counts, [1, 1, 2, 3, 2, 1, 1, 2, 1])
        self.assertTrue(node.cleanup_session("c"))
        self.assertFalse(node.cleanup_session("c"))
        self.assertTrue(node.cleanup_session())
        self.assertFalse(Counter().cleanup_session())

    def test_bounds(self) -> None:
        class Few(Node):
            max_sessions = 5

        self.assertEqual((Few().state_ttl, Few().max_sessions), (3600.0, 5))
        few = Few(state_ttl=1.5, max_sessions=2, mode="fast")
        self.assertEqual((few.state_ttl, few.max_sessions, few.config), (1.5, 2, {"mode": "fast"}))
        self.assertEqual((Few.state_ttl, Few.max_sessions), (3600.0, 5))
        self.assertRaisesRegex(ValueError, "max_sessions", Few(max_sessions=0).get_session_state)

    def test_state_without_init(self) -> None:
        class Bare(Counter):
            def __init__(self) -> None:
                self._states = self._session_id = "mine"

        self.assertEqual([Bare().process(None), Bare().process(None)], [1, 1])

    def test_metadata_may_be_replaced(self) -> None:
        node = Node()
        self.assertEqual(node.metadata, Metadata())
        node.metadata = {"mine": 1}
        self.assertEqual(node.metadata, {"mine": 1})

    def test_defaults_can_be_awaited(self) -> None:
        class Mine(Node):
            async def initialize(self) -> None:
                await super().initialize()

            async def cleanup(self) -> None:
                await super().cleanup()

            async def process(self, data: object) -> object:
                return (await self.get_session_state()).session_id

        async def run() -> object:
            node = Mine()
            await node.initialize()
            try:
                return await node.process(1)
            finally:
                await node.cleanup()

        self.assertEqual(asyncio.run(run()), "default")
        self.assertIsNone(Node().flush())
        self.assertFalse(Node.is_streaming)


if __name__ == "__main__":
    unittest.main()
