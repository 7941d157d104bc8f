"""Nodes that do what nodes may do, and what they may not: the same natively and in a page."""

import asyncio
import colorsys
import json
import operator
import os
import random
import socket
import sys
import time

from remotemedia import Audio


class Contract:
    def __init__(self, step):
        self.step = step
        self.state = 0

    def process(self, data):
        return getattr(self, data["do"])(data)

    def count(self, data):
        self.state += self.step
        return self.state

    def tally(self, data):
        self.state += 1
        return f"{self.state} in {data['number']}"

    def sleep(self, data):
        begun = time.monotonic()
        time.sleep(0.05)
        return 0.045 < time.monotonic() - begun < 2

    def clocks(self, data):
        return [time.time() > 1_700_000_000, time.perf_counter_ns() > 0, time.gmtime().tm_year >= 2024]

    def chance(self, data):
        return [len(os.urandom(100_000)), len({os.urandom(8) for _ in range(50)}), random.random() != random.random()]

    def print(self, data):
        print("one line\nand", end=" ")
        print("another: é", file=sys.stdout, flush=True)
        print("to stderr", file=sys.stderr)
        return "printed"

    def recurse(self, data):
        def deeper(n):
            return deeper(n + 1) + 1

        try:
            return deeper(0)
        except RecursionError as error:
            return str(error)

    def recurse_in_c(self, data):
        try:
            return json.loads("[" * data["depth"])
        except (RecursionError, json.JSONDecodeError) as error:
            return type(error).__name__

    def hang(self, data):
        while True:
            pass

    def raises(self, data):
        raise ValueError(f"no {data['what']}")

    def unreadable(self, data):
        return {1, 2}

    def leave(self, data):
        os._exit(3)

    def no_memory(self, data):
        try:
            return len(bytearray(3 << 29))
        except MemoryError:
            return "MemoryError"

    def files(self, data):
        try:
            return open("/etc/passwd").read()
        except OSError as error:
            return type(error).__name__

    def network(self, data):
        try:
            with socket.socket() as connection:
                connection.connect(("127.0.0.1", 80))
        except OSError as error:
            return isinstance(error, OSError)

    def late(self, data):
        import statistics

        return [colorsys.rgb_to_hsv(1, 0.5, 0.25), statistics.mean([1, 2])]

    def removed(self, data):
        return operator.attrgetter(data["name"])(colorsys)

    def media(self, data):
        sound = data["sound"]
        return Audio([-sample for sample in sound.samples], sound.sample_rate, sound.channels)

    def large(self, data):
        return [bytes(range(256)) * 40, data["bytes"]]


class Numbers:
    """A generator."""

    def process(self, data):
        yield data
        if type(data) is int:
            yield from range(data)


class Slowly:
    """Asynchronous, on the event loop."""

    async def process(self, data):
        await asyncio.sleep(0.001)
        first, second = await asyncio.gather(self.later(data, 0.004), self.later(1, 0.002))
        yield first
        if type(data) is int and data % 2:
            await asyncio.sleep(0)
            yield second + data

    async def later(self, data, delay):
        await asyncio.sleep(delay)
        return data


class Total:
    """Takes the whole stream."""

    is_streaming = True

    async def process(self, stream):
        self.seen = 0
        async for data in stream:
            self.seen += 1
            yield data

    def flush(self):
        return {"seen": self.seen}
