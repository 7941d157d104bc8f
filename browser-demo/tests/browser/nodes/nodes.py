"""Nodes of every kind, run natively and in Pyodide on the same items."""

import asyncio
import colorsys
import inspect
import json
import sys
import traceback

from remotemedia import Audio


class Generator:
    def process(self, data):
        yield data
        yield [data, str(data)]


class Sleeper:
    async def initialize(self):
        await asyncio.sleep(0.01)

    async def process(self, data):
        first, second = await asyncio.gather(self._later(data, 0.02), self._later(data + 1, 0.01))
        return {"first": first, "second": second}

    async def _later(self, value, seconds):
        await asyncio.sleep(seconds)
        return value


class AsyncGenerator:
    async def process(self, data):
        for part in range(3):
            await asyncio.sleep(0)
            yield data * part


class Streaming:
    is_streaming = True

    async def process(self, stream):
        total = 0
        async for item in stream:
            total += item
            yield total

    def flush(self):
        return "end"


class Flushed:
    def __init__(self, start=0, **rest):
        self.total = start

    def process(self, data):
        self.total += data

    def flush(self):
        return {"total": self.total}


class Values:
    """Values of every kind that may cross."""

    def process(self, data):
        return [data, 2**70, -0.0, float("inf"), None, True, "\ud800", {"words": sorted({"b", "a", "c"})}, list({"x", "y", "z", "w"})]


class Loud:
    def process(self, data):
        print("seen", data)
        print("and said", file=sys.stderr)
        raise ValueError(f"no {data}")


class Murmur:
    """Prints without line ends."""

    def process(self, data):
        print("item", data, end="")
        print("\u00e9", end="", file=sys.stderr)
        return data


class Quiet:
    def process(self, data):
        if data == 2:
            raise ValueError("not two")
        return data


class Deep:
    """Nests calls in C code deeper than a worker's stack."""

    def process(self, data):
        if data == 2:
            json.loads("[" * 100_000)
        return data


class Recursive:
    def process(self, data):
        def down(depth):
            return down(depth + 1)

        try:
            down(0)
        except RecursionError as error:
            return type(error).__name__


class Missing:
    def process(self, data):
        name = "_".join(["rgb", "to", "hsv"])
        return [has(colorsys, name), name in look(colorsys), take(colorsys, name)(0, 0, 1)]


class Absent:
    def process(self, data):
        return __import__(data[::-1]).__name__


def unused():
    import graphlib

    return graphlib


class Cold:
    """What is left out as a whole, until it is asked for."""

    def process(self, data):
        return __import__("".join(["graph", "lib"])).__name__


class Source:
    def process(self, data):
        try:
            raise ValueError(data)
        except ValueError:
            return [inspect.getsource(Source.process), traceback.format_exc()]


class Page:
    """What a page has is not for nodes."""

    def process(self, data):
        try:
            __import__("".join(["j", "s"]))
        except ImportError as error:
            return type(error).__name__


class Imported:
    """What a module says of where it comes from, and what its loader can do."""

    def process(self, data):
        import encodings
        import importlib
        import json.decoder
        import os
        import sys

        loader = json.__spec__.loader
        return {
            "file": json.__file__,
            "path": list(json.__path__),
            "isOrigin": json.__file__ == json.__spec__.origin == json.__cached__,
            "isPackage": [loader.is_package("json"), json.decoder.__spec__.loader.is_package("json.decoder")],
            "parent": json.decoder.__spec__.parent,
            "code": loader.get_code("json").co_filename,
            "isReloaded": importlib.reload(json) is json,
            "first": encodings.__file__,
            "modules": sorted(
                file.partition("/")[2].removesuffix(".pyc")
                for file in loader._get_files()
                if file.startswith("json/") and file.endswith("r.pyc")
            ),
            "searched": sorted(
                os.path.join(os.path.dirname(path), "*.whl") if path.endswith(".whl") else path
                for path in sys.path
                if path.endswith((".whl", ".zip"))
            ),
        }


class Hang:
    def process(self, data):
        while data == 2:
            pass
        return data


class Sound:
    def process(self, data):
        return Audio([sample / 2 for sample in data.samples], data.sample_rate, data.channels)


KNOWN = colorsys.rgb_to_yiq


def take(module, *arguments):
    return getattr(module, *arguments)


def has(module, name):
    return hasattr(module, name)


def look(module):
    return dir(module)
