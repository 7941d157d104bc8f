"""Runs the example pipelines in plain CPython and compares with expected.jsonl.

    python3 check_expected.py [--bless] [EXAMPLE ...]

Nothing here comes from the packager or the runtime, so both sides of a comparison with
expected.jsonl are independent of each other. It does only as much as the examples need.
"""

import argparse
import base64
import difflib
import graphlib
import importlib
import inspect
import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REMOTEMEDIA = HERE.parent / "packager" / "python"


# --- The nodes that the runtime implements in Rust ---------------------------------


class MultiplyNode:
    """Multiplies a number by `factor`."""

    def __init__(self, factor: int | float) -> None:
        self.factor = factor

    def process(self, data: int | float) -> int | float:
        return data * self.factor


class AddNode:
    """Adds `addend` to a number."""

    def __init__(self, addend: int | float) -> None:
        self.addend = addend

    def process(self, data: int | float) -> int | float:
        return data + self.addend


class PassThrough:
    """Returns each item as it came."""

    def process(self, data: Any) -> Any:
        return data


BUILT_IN = {"MultiplyNode": MultiplyNode, "AddNode": AddNode, "PassThrough": PassThrough}


# --- Manifests -----------------------------------------------------------------------


def read_manifest(folder: Path) -> Any:
    """Read `pipeline.json` or `pipeline.yaml` of an example."""
    path = folder / "pipeline.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    path = folder / "pipeline.yaml"
    try:
        return read_yaml(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_yaml(text: str) -> Any:
    """Read the small part of YAML that the examples keep to.

    That is: block mappings and sequences, comments on lines of their own, and
    one-line scalars. It refuses what it does not know rather than guess.
    """
    lines: list[tuple[int, int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        # "- id: x" is a mapping that starts two columns further in.
        while content.startswith("- "):
            lines.append((number, indent, "-"))
            stripped = content[1:].lstrip()
            indent += len(content) - len(stripped)
            content = stripped
        lines.append((number, indent, content))
    value, rest = read_block(lines)
    if rest:
        raise ValueError(f"line {rest[0][0]}: unexpected indentation")
    return value


def read_block(lines: list[tuple[int, int, str]]) -> tuple[Any, list[tuple[int, int, str]]]:
    """Read the value that starts at the first line; return it and the lines after it."""
    number, indent, content = lines[0]
    if content == "-":
        items = []
        while lines and lines[0][1:] == (indent, "-"):
            item, lines = read_block(lines[1:])
            items.append(item)
        return items, lines
    if re.match(r"[\w-]+:(\s|$)", content) is None:
        return read_scalar(number, content), lines[1:]
    mapping = {}
    while lines and lines[0][1] == indent and lines[0][2] != "-":
        number, _, content = lines[0]
        match = re.fullmatch(r"([\w-]+):(?:\s+(.+))?", content)
        if match is None:
            raise ValueError(f"line {number}: expected `key: value`, found {content!r}")
        lines = lines[1:]
        key, scalar = match.groups()
        if key in mapping:
            raise ValueError(f"line {number}: {key!r} comes twice")
        if scalar is not None:
            mapping[key] = read_scalar(number, scalar)
        elif lines and lines[0][1] > indent:
            mapping[key], lines = read_block(lines)
        else:
            mapping[key] = None
    return mapping, lines


def read_scalar(number: int, text: str) -> Any:
    """Read a one-line scalar: a number, a truth value, null, an empty collection or a string."""
    constants: dict[str, Any] = {"null": None, "true": True, "false": False, "[]": [], "{}": {}}
    if text in constants:
        return constants[text]
    if re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]+\.[0-9]+", text):
        return float(text)
    if text[0] == text[-1] == '"' and "\\" not in text and len(text) > 1:
        return text[1:-1]
    # YAML reads some spellings of the constants alike, such as `True`.
    if text.lower() not in constants and re.fullmatch(r"[A-Za-z](?:(?!: | #).)*(?<!:)", text):
        return text
    raise ValueError(f"line {number}: {text!r} is more YAML than this script reads")


# --- Nodes ---------------------------------------------------------------------------


def find_class(folder: Path, node_type: str) -> Any:
    """Return a node's class: built in, `package.module:Class`, or found by its name."""
    if node_type in BUILT_IN:
        return BUILT_IN[node_type]
    module, colon, name = node_type.partition(":")
    if not colon:
        name = node_type
        definition = re.compile(rf"^class {re.escape(name)}\b", re.MULTILINE)
        found = [
            path
            for path in sorted(folder.rglob("*.py"))
            if definition.search(path.read_text(encoding="utf-8"))
        ]
        if len(found) != 1:
            raise LookupError(f"{folder}: {len(found)} definitions of {name}: {found}")
        module = ".".join(found[0].relative_to(folder).with_suffix("").parts)
    return getattr(importlib.import_module(module), name)


def build(node_class: Any, name: str, params: dict[str, Any]) -> Any:
    """Build a node from its manifest entry.

    What the class declares it gets as keyword arguments; the rest is its `config`.
    """
    arguments = {"name": name, **params}
    declared = inspect.signature(node_class).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in declared.values()):
        return node_class(**arguments)
    node = node_class(**{key: arguments[key] for key in arguments if key in declared})
    node.config = {key: params[key] for key in params if key not in declared}
    return node


# --- Running -------------------------------------------------------------------------


class Pipeline:
    """The nodes of a manifest, run one item at a time from sources to sinks."""

    def __init__(self, manifest: dict[str, Any], folder: Path) -> None:
        self.nodes = {
            entry["id"]: build(
                find_class(folder, entry["node_type"]), entry["id"], entry.get("params") or {}
            )
            for entry in manifest["nodes"]
        }
        self.sources_of: dict[str, list[str]] = {node_id: [] for node_id in self.nodes}
        for connection in manifest["connections"]:
            self.sources_of[connection["to"]].append(connection["from"])
        self.order = list(graphlib.TopologicalSorter(self.sources_of).static_order())
        inner = {source for sources in self.sources_of.values() for source in sources}
        self.sinks = [node_id for node_id in self.nodes if node_id not in inner]

    def run(self, items: list[Any]) -> list[Any]:
        """Return what the sinks emit for `items` and at the end of input."""
        for node in self.nodes.values():
            call(node, "initialize")
        try:
            outputs = [output for item in items for output in self.step([item], flush=False)]
            return outputs + self.step([], flush=True)
        finally:
            for node in self.nodes.values():
                call(node, "cleanup")

    def step(self, items: list[Any], flush: bool) -> list[Any]:
        """Send items through all nodes; with `flush`, let each end its input afterwards."""
        emitted: dict[str, list[Any]] = {}
        for node_id in self.order:
            node, sources = self.nodes[node_id], self.sources_of[node_id]
            incoming = [item for source in sources for item in emitted[source]]
            outputs = [node.process(item) for item in (incoming if sources else items)]
            if flush:
                outputs.append(call(node, "flush"))
            emitted[node_id] = [output for output in outputs if output is not None]
        return [output for sink in self.sinks for output in emitted[sink]]


def call(node: Any, method: str) -> Any:
    """Call a method that a node may have."""
    function: Callable[[], Any] | None = getattr(node, method, None)
    return None if function is None else function()


# --- Values as JSON --------------------------------------------------------------------


def from_json(line: str) -> Any:
    """Read one line of input; `{"$bytes": ...}` and `{"$float": ...}` stand for values."""

    def decode(value: dict[str, Any]) -> Any:
        match value:
            case {"$bytes": str(text), **others} if not others:
                return base64.b64decode(text, validate=True)
            case {"$float": "nan" | "inf" | "-inf" as text, **others} if not others:
                return float(text)
        return value

    return json.loads(line, object_hook=decode)


def to_json(value: Any) -> str:
    """Write a value as the runtime prints it, on one line."""

    def encode(value: Any) -> Any:
        match value:
            case bytes():
                return {"$bytes": base64.b64encode(value).decode()}
            case float() if not math.isfinite(value):
                return {"$float": str(value)}
            case list() | tuple():
                return [encode(item) for item in value]
            case dict():
                return {key: encode(item) for key, item in value.items()}
        return value

    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


# --- The command -----------------------------------------------------------------------


def run_example(folder: Path) -> str:
    """Return the lines that an example's pipeline prints for its input."""
    text = (folder / "input.jsonl").read_text(encoding="utf-8")
    items = [from_json(line) for line in text.split("\n") if line.strip()]
    before = set(sys.modules)
    sys.path[:0] = [str(folder), str(REMOTEMEDIA)]
    try:
        outputs = Pipeline(read_manifest(folder), folder).run(items)
    finally:
        del sys.path[:2]
        # Two examples may give their modules the same names.
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin is None or Path(origin).is_relative_to(folder):
                del sys.modules[name]
    return "".join(f"{to_json(output)}\n" for output in outputs)


def main() -> int:
    """Check or bless; return the exit code."""
    parser = argparse.ArgumentParser(description="Check the examples' expected outputs.")
    parser.add_argument("--bless", action="store_true", help="rewrite expected.jsonl")
    parser.add_argument("examples", nargs="*", help="folder names; all by default")
    options = parser.parse_args()
    # The folders are inputs of the packager: leave nothing in them.
    sys.dont_write_bytecode = True

    names = options.examples or sorted(path.parent.name for path in HERE.glob("*/input.jsonl"))
    failed = 0
    for name in names:
        target = HERE / name / "expected.jsonl"
        actual = run_example(HERE / name)
        if options.bless:
            target.write_text(actual, encoding="utf-8", newline="\n")
            print(f"{name}: written, {actual.count(chr(10))} lines")
            continue
        expected = target.read_text(encoding="utf-8") if target.exists() else ""
        if actual == expected:
            print(f"{name}: ok, {actual.count(chr(10))} lines")
            continue
        failed += 1
        print(f"{name}: differs")
        sys.stdout.writelines(
            difflib.unified_diff(
                expected.splitlines(keepends=True),
                actual.splitlines(keepends=True),
                "expected.jsonl",
                "actual",
            )
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
