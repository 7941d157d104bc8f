"""Fetches a package of the corpus, with pip, into the user's cache, and prints the folder that it is in.

    python3 fetch.py PACKAGE ...

`wheels.txt` in the package's folder, and `sdists.txt` where there is one, pin what is fetched: versions and hashes. The
folder printed holds `wheel/NAME` and `sdist/NAME`, the unpacked archives. It is made once, and named by the hash of what
is pinned. pip makes the metadata of an sdist by running the sdist's build, before it leaves the archive itself here.
"""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

KINDS = {"wheel": ("wheels.txt", "--only-binary"), "sdist": ("sdists.txt", "--no-binary")}

REQUIREMENT = re.compile(r"^([\w.-]+)==\S+ --hash=sha256:([0-9a-f]{64})$")


class FetchError(Exception):
    """A package cannot be fetched; the message is for whoever runs the tests."""


def folder_of(package: str) -> Path:
    """Return the folder with a package's archives, after fetching them if need be."""
    if not hasattr(tarfile, "data_filter"):
        raise FetchError("the corpus needs Python 3.11.4 or later")
    pinned = {
        kind: file
        for kind, (name, _) in KINDS.items()
        if (file := HERE / package / name).exists()
    }
    if not pinned:
        raise FetchError(f"{HERE / package}: no wheels.txt; is that a package of the corpus?")
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in pinned.values())).hexdigest()
    target = cache() / f"{package}-{digest[:16]}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # Renamed when all is there: whoever finds the folder finds the whole of it.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as scratch:
        whole = Path(scratch, "whole")
        for kind, requirements in pinned.items():
            fetch(kind, requirements, Path(scratch, kind), whole / kind)
        try:
            whole.rename(target)
        except OSError:
            # Somebody else was faster.
            if not target.is_dir():
                raise
    return target


def cache() -> Path:
    """Return the folder that fetched packages are kept in, beside what `tests/run` compiles."""
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "remotemedia-pack" / "corpus"


def fetch(kind: str, requirements: Path, downloads: Path, target: Path) -> None:
    """Download the archives that a file pins, and unpack each below its name."""
    downloads.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", KINDS[kind][1], ":all:"]
    command += ["--dest", str(downloads), "--requirement", str(requirements)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode != 0:
        raise FetchError(
            f"{requirements}: pip cannot fetch what it names\n{finished.stderr.strip()}\n"
            "The corpus is made of packages of the index that pip is set up for, which are fetched once. It needs pip "
            "and, the first time, a network connection."
        )
    archives = {hashlib.sha256(file.read_bytes()).hexdigest(): file for file in downloads.iterdir()}
    for name, digest in read_requirements(requirements):
        if digest not in archives:
            raise FetchError(f"{requirements}: pip fetched another {kind} of {name} than the pinned one")
        unpack(archives[digest], target / name)


def read_requirements(path: Path) -> list[tuple[str, str]]:
    """Return name and hash of each line of a file of requirements."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = REQUIREMENT.match(line)
        if match is None:
            raise FetchError(f"{path}:{number}: expected NAME==VERSION --hash=sha256:HASH")
        found.append((match[1], match[2]))
    return found


def unpack(archive: Path, target: Path) -> None:
    """Unpack a wheel, or what an sdist holds below its one folder."""
    if archive.suffix == ".whl":
        zipfile.ZipFile(archive).extractall(target)
        return
    scratch = target.with_suffix(".unpacking")
    with tarfile.open(archive) as file:
        file.extractall(scratch, filter="data")
    (top,) = scratch.iterdir()
    top.rename(target)
    scratch.rmdir()


def main() -> int:
    """Fetch the packages named; return the exit code."""
    try:
        for package in sys.argv[1:]:
            print(folder_of(package))
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
