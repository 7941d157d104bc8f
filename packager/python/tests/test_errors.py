"""Checks that every exception can be told, whatever its class makes of itself."""

import enum
import marshal
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine" / "guest"))

import _rm_errors  # noqa: E402

UNKNOWN = "<the exception's own text could not be made>"


class Word(enum.StrEnum):
    ODD = "a member"


class Hostile(Exception):
    """Raises whatever it is asked for."""

    def __str__(self) -> str:
        raise SystemExit(1)

    def __getattribute__(self, name: str) -> object:
        raise KeyboardInterrupt(name)


class Text:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Errors(unittest.TestCase):
    def told(self, error: BaseException) -> dict[str, object]:
        status, described = marshal.loads(_rm_errors.answer(error))
        self.assertEqual(status, 1)
        return described

    def test_what_is_plain_is_told_as_it_is(self) -> None:
        error = ValueError("no text")
        error.add_note("a note")
        told = self.told(error)
        self.assertEqual(
            told, {"type": "ValueError", "message": "no text", "frames": [], "notes": ["a note"]}
        )

    def test_fields_of_any_type(self) -> None:
        error = SyntaxError(Word.ODD, (object(), True, 2.5, {}))
        self.assertEqual(self.told(error)["syntax"], (None, 1, None, None))
        self.assertEqual(self.told(error)["message"], "a member")
        error = SyntaxError("bad", (Word.ODD, 3, 4, Word.ODD))
        self.assertEqual(self.told(error)["syntax"], ("a member", 3, 4, "a member"))
        self.assertIsNone(self.told(ImportError("gone", name=[object()]))["missing"])
        self.assertEqual(self.told(ImportError("gone", name=Word.ODD))["missing"], "a member")
        self.assertEqual(self.told(ValueError(Word.ODD))["message"], "a member")

    def test_notes_of_any_type(self) -> None:
        error = ValueError("noted")
        notes: list[tuple[object, list[str]]] = [
            ([Text("one"), Text(Word.ODD)], ["one", "a member"]),
            ([Hostile()], [UNKNOWN]),
            (7, ["7"]),
            (None, []),
        ]
        for given, expected in notes:
            error.__notes__ = given  # type: ignore[assignment]
            self.assertEqual(self.told(error)["notes"], expected)

    def test_an_exception_that_raises_whatever_it_is_asked(self) -> None:
        error = Hostile()
        told = self.told(error)
        self.assertEqual(told["type"], f"{Hostile.__module__}.Hostile")
        self.assertEqual(told["message"], UNKNOWN)
        outer = ValueError("outer")
        outer.__cause__ = error
        self.assertEqual(self.told(outer)["cause"], told)
        group = BaseExceptionGroup("several", [error, ValueError("one")])
        self.assertEqual(self.told(group)["group"][0], told)  # type: ignore[index]

    def test_a_circle_of_exceptions(self) -> None:
        one, other = MemoryError("one"), MemoryError("other")
        one.__context__, other.__context__ = other, one
        self.assertEqual(self.told(one)["message"], "one")

    def test_a_text_that_leaves_no_room(self) -> None:
        class Long(Exception):
            def __str__(self) -> str:
                return "long" * 1000

        def refuse(error: BaseException, depth: int = 0) -> dict[str, object]:
            raise MemoryError

        describe, _rm_errors.describe = _rm_errors.describe, refuse
        try:
            told = self.told(Long())
        finally:
            _rm_errors.describe = describe
        self.assertEqual(told["message"], "long" * (_rm_errors.BRIEF // 4))


if __name__ == "__main__":
    unittest.main()
