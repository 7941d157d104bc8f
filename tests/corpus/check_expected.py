"""Runs the corpus's nodes in plain CPython and compares with expected.jsonl.

    python3 check_expected.py [--bless] [PACKAGE ...]

Nothing here comes from the packager or the runtime, so both sides of a comparison with expected.jsonl are independent of
each other. It does only as much as the corpus needs: pipelines of one node, whose class is the last one in nodes.py.
"""

import argparse
import difflib
import importlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import fetch

HERE = Path(__file__).resolve().parent


def run(package: str) -> str:
    """Return the lines that a package's pipeline prints for its input."""
    folder = HERE / package
    with open(folder / "package.toml", "rb") as file:
        sources = tomllib.load(file)["sources"]
    root = fetch.folder_of(package)
    sys.path[:0] = [str(folder), *(str(root / source) for source in sources)]
    module = importlib.import_module("nodes")
    classes = [value for value in vars(module).values() if getattr(value, "__module__", None) == "nodes"]
    node = [value for value in classes if isinstance(value, type)][-1]()
    lines = (folder / "input.jsonl").read_text(encoding="utf-8").splitlines()
    outputs = [node.process(json.loads(line)) for line in lines]
    return "".join(
        json.dumps(output, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n" for output in outputs
    )


def check(package: str, bless: bool) -> bool:
    """Compare, or write; return whether all is well."""
    target = HERE / package / "expected.jsonl"
    actual = run(package)
    if bless:
        target.write_text(actual, encoding="utf-8", newline="\n")
        print(f"{package}: written, {actual.count(chr(10))} lines")
        return True
    expected = target.read_text(encoding="utf-8") if target.exists() else ""
    if actual == expected:
        print(f"{package}: ok, {actual.count(chr(10))} lines")
        return True
    print(f"{package}: differs")
    both = (text.splitlines(keepends=True) for text in (expected, actual))
    sys.stdout.writelines(difflib.unified_diff(*both, "expected.jsonl", "actual"))
    return False


def main() -> int:
    """Check or bless; return the exit code."""
    parser = argparse.ArgumentParser(description="Check the corpus's expected outputs.")
    parser.add_argument("--bless", action="store_true", help="rewrite expected.jsonl")
    parser.add_argument("packages", nargs="*", help="folder names; all by default")
    options = parser.parse_args()
    packages = options.packages or sorted(file.parent.name for file in HERE.glob("*/package.toml"))
    if len(packages) == 1:
        # What was fetched is an input of the packager: leave nothing in it.
        sys.dont_write_bytecode = True
        try:
            return 0 if check(packages[0], options.bless) else 1
        except fetch.FetchError as error:
            print(error, file=sys.stderr)
            return 1
    # A process each: what one package does to the interpreter does not matter to the next.
    command = [sys.executable, os.path.abspath(__file__), *(["--bless"] if options.bless else [])]
    return max(subprocess.run([*command, package]).returncode for package in packages)


if __name__ == "__main__":
    sys.exit(main())
