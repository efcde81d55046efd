"""A MicroPython for this PC, without root and without a build: the one on PATH, else one from Debian in the user's cache, else CPython.

Debian's prebuilt micropython 1.25 runs on older systems too when it is started through its own dynamic loader and libraries. It is fetched
with the plain apt clients that are there, from the mirror that is configured there, its signature checked with the keyring that is there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from . import debian

VERSION = "1.25"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386"}
# what micropython links to needs no configuration tools around libc
_NOT_NEEDED = re.compile(r"^(gcc-\d+-base|debconf|dpkg|libc-bin|libidn2|libunistring)")


class InterpreterMissing(Exception):
    """There is no MicroPython of this kind here; the text says why and what to do."""


@dataclass(frozen=True)
class Interpreter:
    """argv: how to start it; kind: "micropython" or "cpython"; arch: Debian's name of its architecture."""

    argv: tuple[str, ...]
    description: str
    kind: str
    arch: str


def find(arch: str = "native") -> Interpreter:
    """Return an interpreter for the firmware: "native" (of this machine, CPython as a last resort), "amd64", "i386" ...

    $REMNANT_MICROPYTHON names one for native use; $REMNANT_CACHE moves the cache. Raises InterpreterMissing (never for "native").
    """
    native = _MACHINES.get(platform.machine(), "")
    if arch in ("native", native):
        for path in (os.environ.get("REMNANT_MICROPYTHON"), shutil.which("micropython")):
            if path and (found := _asked((path,), native)):
                return found
    try:
        return _cached(native if arch == "native" else arch)
    except InterpreterMissing:
        if arch != "native":
            raise
        version = ".".join(str(n) for n in sys.version_info[:3])
        return Interpreter((sys.executable,), f"CPython {version} (no MicroPython could be had)", "cpython", native)


def _asked(argv: tuple[str, ...], arch: str) -> Interpreter | None:
    """Ask a program whether it is a MicroPython of VERSION or later."""
    source = "import sys; print(sys.implementation.name, *sys.implementation.version[:3])"
    try:
        told = subprocess.run([*argv, "-c", source], capture_output=True, text=True, timeout=20).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    if len(told) < 3 or told[0] != "micropython" or (int(told[1]), int(told[2])) < tuple(int(n) for n in VERSION.split(".")):
        return None
    return Interpreter(argv, f"MicroPython {'.'.join(told[1:])} ({arch})", "micropython", arch)


def _cached(arch: str) -> Interpreter:
    if not arch:
        raise InterpreterMissing(f"no MicroPython is known for {platform.machine()}")
    cache = Path(os.environ.get("REMNANT_CACHE") or user_cache_path("remnant"))
    root = cache / f"micropython-{VERSION}-{arch}"
    with _locked(cache, arch):
        if not root.is_dir():
            _fetch(root, arch)
        loaders = sorted(root.glob("usr/lib/*-linux-*/ld-linux*.so*")) + sorted(root.glob("lib/*-linux-*/ld-linux*.so*"))
        if loaders:
            argv = (str(loaders[0]), "--library-path", str(loaders[0].parent), str(root / "usr/bin/micropython"))
            if found := _asked(argv, arch):
                return found
    raise InterpreterMissing(f"the MicroPython in {root} does not run here. Remove that folder and try again")


@contextlib.contextmanager
def _locked(cache: Path, arch: str) -> Iterator[None]:
    """One process at a time fetches; the others then find it."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"micropython-{arch}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(root: Path, arch: str) -> None:
    """Fetch and unpack into `root`, whole or not at all."""
    print(f"fetching MicroPython {VERSION} for {arch} (once, 14 MB)", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=root.parent) as name:
        work = Path(name)
        try:
            environment = debian.apt(work, arch)
            switches = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
            listed = debian.run(["apt-cache", "depends", "--recurse", *switches, "micropython"], environment, work)
            packages = sorted({line for line in listed.splitlines() if re.match(r"[a-z0-9]", line) and not _NOT_NEEDED.match(line)})
            debian.unpack([p if ":" in p else f"{p}:{arch}" for p in packages], environment, work).rename(root)
        except debian.Unavailable as error:
            raise InterpreterMissing(f"{error}. Install a micropython {VERSION} or later and put it on PATH") from None
