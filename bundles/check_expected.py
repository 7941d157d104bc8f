"""Runs the example pipelines in plain CPython and compares with expected.jsonl.

    python3 check_expected.py [--bless] [EXAMPLE ...]

But for the `remotemedia` package that nodes import, nothing here comes from the packager or
the runtime, so both sides of a comparison with expected.jsonl are independent of each other. It
does only as much as the examples need.
"""

import argparse
import asyncio
import base64
import difflib
import graphlib
import importlib
import inspect
import json
import math
import operator
import re
import sys
import wave
from array import array
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin, get_type_hints

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "packager" / "python"))

import _remotemedia  # noqa: E402
from remotemedia import Audio, Packet  # noqa: E402


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


class AudioResampleNode:
    """Changes the sample rate of the whole stream at its end, by a windowed sinc.

    Sound keeps its place in time, and the end has the length of the beginning at the new rate.
    """

    ZERO_CROSSINGS = 32

    def __init__(self, sample_rate: int) -> None:
        self.rate = sample_rate
        self.packets: list[Audio] = []
        self.start_us: int | None = None

    def process(self, data: Audio) -> None:
        if not self.packets:
            self.start_us = _remotemedia.current().timestamp_us
        self.packets.append(data)

    def flush(self) -> Packet | None:
        if not self.packets:
            return None
        rate, channels = self.packets[0].sample_rate, self.packets[0].channels
        interleaved = [sample for packet in self.packets for sample in packet.samples]
        resampled = [self.resample(interleaved[c::channels], rate) for c in range(channels)]
        samples = [sample for frame in zip(*resampled) for sample in frame]
        return Packet(Audio(samples, self.rate, channels), timestamp_us=self.start_us)

    def resample(self, samples: list[float], rate: int) -> list[float]:
        """Return one channel at the new rate."""
        common = math.gcd(rate, self.rate)
        step, phases = rate // common, self.rate // common
        # Sinc of the lower of both rates, seen from the old one, under a Hann window.
        scale = min(1.0, self.rate / rate)
        reach = math.ceil(self.ZERO_CROSSINGS / scale)

        def weight(distance: float) -> float:
            x = math.pi * scale * distance
            sinc = math.sin(x) / x if x else 1.0
            return scale * sinc * math.cos(math.pi * distance / 2 / (reach + 1)) ** 2

        filters = [
            [weight(tap - phase / phases) for tap in range(-reach, reach + 1)]
            for phase in range(phases)
        ]
        padded = [0.0] * reach + samples + [0.0] * (reach + step)
        resampled = []
        for frame in range(round(len(samples) * self.rate / rate)):
            start, phase = divmod(frame * step, phases)
            window = padded[start : start + 2 * reach + 1]
            resampled.append(sum(map(operator.mul, filters[phase], window)))
        return resampled


class AudioChunkNode:
    """Cuts sound anew, into chunks of `duration_ms`; the last one may be shorter."""

    def __init__(self, duration_ms: int) -> None:
        self.duration_ms = duration_ms
        self.rest: list[float] = []
        self.start_us, self.frames = 0, 0
        self.rate, self.channels = 0, 1

    def process(self, data: Audio) -> Iterator[Packet]:
        if not self.rate:
            self.rate, self.channels = data.sample_rate, data.channels
            self.start_us = _remotemedia.current().timestamp_us or 0
        self.rest += data.samples
        frames = self.rate * self.duration_ms // 1000
        while len(self.rest) >= frames * self.channels:
            yield self.cut(frames)

    def flush(self) -> Packet | None:
        return self.cut(len(self.rest) // self.channels) if self.rest else None

    def cut(self, frames: int) -> Packet:
        """Return the next chunk."""
        start_us = self.start_us + round(1_000_000 * self.frames / self.rate)
        self.frames += frames
        samples = self.rest[: frames * self.channels]
        del self.rest[: frames * self.channels]
        return Packet(Audio(samples, self.rate, self.channels), timestamp_us=start_us)


BUILT_IN = {
    "MultiplyNode": MultiplyNode,
    "AddNode": AddNode,
    "PassThrough": PassThrough,
    "AudioResampleNode": AudioResampleNode,
    "AudioChunkNode": AudioChunkNode,
}

# Nodes in Rust that do what an example's node does, and that node's folder, module and class.
TWINS = {"RustTextProcessorNode": ("text-processor", "text_processor", "TextProcessorNode")}


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
    if node_type in TWINS:
        twin, module, name = TWINS[node_type]
        sys.path.append(str(HERE / twin))
        try:
            return getattr(importlib.import_module(module), name)
        finally:
            del sys.path[-1]
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


@dataclass
class Item:
    """A value on its way, with the key that is its place in every order, and its metadata.

    A key is an item's number, and behind it a place for every node on the longest path to
    where the value came out: how many outputs of the same origin that node gave before.
    """

    key: tuple[int, ...]
    value: Any
    session: str | None = None
    timestamp_us: int | None = None
    output: str | None = None


class Step:
    """One node of a running pipeline: takes items, keeps what it emits."""

    def __init__(self, node: Any, entry: dict[str, Any], level: int) -> None:
        self.node = node
        self.level = level
        self.joins = bool(entry.get("join"))
        self.is_streaming = bool(entry.get("is_streaming")) or takes_stream(node)
        self.emitted: list[Item] = []
        self.current = Item((0,), None)
        self.count = 0

    async def run(self, items: list[Item], end: int) -> None:
        """Work on all items, which are in order, and on the end of the input behind them."""
        if self.is_streaming:
            await self.emit(self.node.process(self.stream(items)))
        else:
            for item in items:
                self.begin(item)
                await self.emit(self.node.process(item.value))
        self.begin(Item(max([(end,), *(item.key for item in items)]), None))
        await self.emit(call(self.node, "flush"))

    async def stream(self, items: list[Item]) -> AsyncIterator[Any]:
        """Give a streaming node its items, when it asks for them."""
        for item in items:
            # A stream that always had its next item would never let another task run.
            await asyncio.sleep(0)
            self.begin(item)
            yield item.value

    def begin(self, item: Item) -> None:
        """Say which item is being worked on, also to the node."""
        if item.key != self.current.key:
            self.count = 0
        self.current = item
        _remotemedia._current = (item.session, item.timestamp_us, item.key[0])
        _remotemedia._data = item.value

    async def emit(self, result: Any) -> None:
        """Emit what a method returned or yields."""
        if inspect.isasyncgen(result):
            async for output in result:
                self.emit_one(output)
        elif inspect.isgenerator(result):
            for output in result:
                self.emit_one(output)
        else:
            self.emit_one(await result if inspect.isawaitable(result) else result)

    def emit_one(self, output: Any) -> None:
        """Emit one output, unless it is None."""
        if output is None:
            return
        packet = output if isinstance(output, Packet) else Packet(output)
        origin = self.current
        key = [*origin.key, *(0 for _ in range(self.level + 1 - len(origin.key))), self.count]
        while len(key) > 1 and key[-1] == 0:
            del key[-1]
        self.count += 1
        session = origin.session if packet.session is None else packet.session
        time = origin.timestamp_us if packet.timestamp_us is None else packet.timestamp_us
        self.emitted.append(Item(tuple(key), packet.data, session, time, packet.output))


class Pipeline:
    """The nodes of a manifest, run one after the other, each over all of its input."""

    def __init__(self, manifest: dict[str, Any], folder: Path) -> None:
        self.connections = manifest["connections"]
        sources: dict[str, set[str]] = {entry["id"]: set() for entry in manifest["nodes"]}
        for connection in self.connections:
            sources[connection["to"]].add(connection["from"])
        self.order = list(graphlib.TopologicalSorter(sources).static_order())
        levels: dict[str, int] = {}
        for node_id in self.order:
            levels[node_id] = max((levels[source] + 1 for source in sources[node_id]), default=0)
        self.steps = {
            entry["id"]: Step(
                build(find_class(folder, entry["node_type"]), entry["id"], entry.get("params") or {}),
                entry,
                levels[entry["id"]],
            )
            for entry in manifest["nodes"]
        }

    async def run(self, items: list[Item]) -> list[Any]:
        """Return what leaves the pipeline for `items` and at the end of input."""
        nodes = [step.node for step in self.steps.values()]
        for node in nodes:
            await finished(call(node, "initialize"))
        try:
            for node_id in self.order:
                await self.steps[node_id].run(self.incoming(node_id, items), len(items))
        finally:
            for node in nodes:
                await finished(call(node, "cleanup"))
        # What leaves on an output that nothing is connected to is a result.
        taken = {(c["from"], c.get("output")) for c in self.connections}
        results = [
            item
            for node_id, step in self.steps.items()
            for item in step.emitted
            if (node_id, item.output) not in taken
        ]
        return [item.value for item in sorted(results, key=lambda item: item.key)]

    def incoming(self, node_id: str, items: list[Item]) -> list[Item]:
        """Return a node's input: by key, then in the order of the connections."""
        into = [c for c in self.connections if c["to"] == node_id]
        if not into:
            incoming = [("", item) for item in items]
        else:
            incoming = [
                (".".join(filter(None, (c["from"], c.get("output")))), item)
                for c in into
                for item in self.steps[c["from"]].emitted
                if item.output == c.get("output")
            ]
        incoming.sort(key=lambda pair: pair[1].key)
        if not self.steps[node_id].joins:
            return [item for _, item in incoming]
        joined: dict[tuple[int, ...], Item] = {}
        for name, item in incoming:
            first = Item(item.key, {}, item.session, item.timestamp_us)
            joined.setdefault(item.key, first).value[name] = item.value
        return list(joined.values())


def takes_stream(node: Any) -> bool:
    """Return whether a node says of itself that it takes the whole stream."""
    if getattr(node, "is_streaming", False):
        return True
    hints = get_type_hints(type(node).process)
    hints.pop("return", None)
    streams = (AsyncIterator, AsyncIterable, AsyncGenerator)
    return any((get_origin(hint) or hint) in streams for hint in hints.values())


def call(node: Any, method: str) -> Any:
    """Call a method that a node may have."""
    function = getattr(node, method, None)
    return None if function is None else function()


async def finished(result: Any) -> None:
    """Wait for a method that may be a coroutine."""
    if inspect.isawaitable(result):
        await result


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


def read_items(folder: Path) -> list[Item]:
    """Read an example's input: lines of JSON, or sound in packets of 20 ms."""
    path = folder / "input.wav"
    if path.exists():
        return list(read_sound(path))
    lines = (folder / "input.jsonl").read_text(encoding="utf-8").split("\n")
    items = []
    for line in filter(str.strip, lines):
        match from_json(line):
            case {"$packet": {"data": data, **metadata}, **others} if not others:
                items.append(Item((len(items),), data, **metadata))
            case data:
                items.append(Item((len(items),), data))
    return items


def read_sound(path: Path) -> Iterator[Item]:
    """Read a WAV file of 16 bits a sample."""
    with wave.open(str(path)) as file:
        channels, width, rate = file.getparams()[:3]
        if width != 2:
            raise ValueError(f"{path}: {8 * width} bits a sample")
        samples = array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    frames = rate * 20 // 1000
    for number, start in enumerate(range(0, len(samples) // channels, frames)):
        part = samples[start * channels : (start + frames) * channels]
        audio = Audio([sample / 32768 for sample in part], rate, channels)
        yield Item((number,), audio, timestamp_us=round(1_000_000 * start / rate))


def run_example(folder: Path) -> str:
    """Return the lines that an example's pipeline prints for its input."""
    items = read_items(folder)
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        outputs = asyncio.run(Pipeline(read_manifest(folder), folder).run(items))
    finally:
        del sys.path[0]
        # Two examples may give their modules the same names.
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin is None or Path(origin).is_relative_to(HERE):
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

    names = options.examples or sorted(path.parent.name for path in HERE.glob("*/input.*"))
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
