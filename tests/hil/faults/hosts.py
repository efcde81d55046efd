"""The `remnant` command as a process of its own, many times: forked from this one, in which its modules are loaded already.

Everything from `main()` on is the command as a person starts it; only the half second of imports is done once. Not for a process with
threads.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_LOADED_EARLY = (
    "remnant.cli.app",
    "remnant.cli.running",
    "remnant.cli.limits",
    "remnant.report",
    "remnant.report.figures",
    "remnant.report.page",
    "remnant.run",
    "remnant.record.finish",
    "remnant.virtual",
    "matplotlib.backends.backend_svg",
    "pyarrow.parquet",
    "scipy.optimize",
)


def warm(plan: Path) -> None:
    """Load what the command loads, once; units are parsed once too."""
    for name in _LOADED_EARLY:
        importlib.import_module(name)
    from remnant.cli.limits import limits_of
    from remnant.plan import compile_plan, load

    compile_plan(load(str(plan), {}, limits_of("virtual")), limits_of("virtual"))


class Host:
    """One started command. `output` grows while it runs; code: its exit code, negative for a signal, None while it runs."""

    def __init__(self, arguments: list[str] | Callable[[], int], output: Path, before: Callable[[], None] | None = None):
        """arguments: of `remnant`, or a function that is called instead. before: called in the new process first of all."""
        self.output = output
        self._said = bytearray()
        self._read, write = os.pipe()  # not a file: a full disk must not silence it
        os.set_blocking(self._read, False)
        self.code: int | None = None
        self.began_s = time.monotonic()
        self.took_s = 0.0
        self.pid = os.fork()
        if not self.pid:
            _become(arguments, write, before)
        os.close(write)

    def _listen(self) -> None:
        """Take what is in the pipe, so that the command never waits for it."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._read, 65536):
                self._said += data

    def poll(self) -> int | None:
        self._listen()
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self.took_s = time.monotonic() - self.began_s
        return self.code

    def wait(self, within_s: float) -> int | None:
        """The exit code, None when it still runs after `within_s`."""
        end = time.monotonic() + within_s
        while self.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        return self.code

    def signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        self.wait(5.0)

    def file_limit(self, size: int) -> None:
        """From now on the kernel refuses to let a file of this process grow beyond `size` (EFBIG); -1: lifted."""
        if self.poll() is None:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def said(self) -> str:
        """What it has printed; kept in `output` too."""
        self._listen()
        self.output.write_bytes(self._said)
        return self._said.decode("utf-8", errors="replace")

    def close(self) -> None:
        """kill -9 if need be, and keep what it said."""
        self.kill()
        self.said()
        os.close(self._read)


def _become(arguments: list[str] | Callable[[], int], write: int, before: Callable[[], None] | None) -> None:
    code = 70
    try:
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(write, 1)
        os.dup2(write, 2)
        os.closerange(3, 256)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        if before:
            before()
        if callable(arguments):
            code = arguments()
        else:
            sys.argv = ["remnant", *arguments]
            from remnant.cli.app import main

            main()
            code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
