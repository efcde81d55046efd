"""MicroPython's own tests, folders `basics` and `float`, on the emulated chip: a gate for the bench, not for the firmware.

A test passes when it prints what its .exp file holds, or, where there is none, what CPython prints for the same file; one that prints SKIP
is skipped. Source of the rules and of the tests left out: MicroPython 1.25, tests/run-tests.py, for a port with 32-bit floats.
"""

import argparse
import difflib
import fnmatch
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Queue

from image import find_image, find_micropython_tests, find_modules, find_node
from rp2040 import RP2040, BenchError, ReplError, ReplTimeout

LEFT_OUT = {
    "basics/exception_chain.py",  # a warning that is printed on a PC only
    "float/float_divmod.py",  # these ask for 64-bit floats
    "float/float2int_doubleprec_intbig.py",
    "float/float_format_ints_doubleprec.py",
    "float/float_parse_doubleprec.py",
}
SECONDS = 120
ANYTHING = "########"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", action="append", help="basics, float (default: both)")
    parser.add_argument("--test", default="*", help="only tests whose name is like this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    wanted = parser.parse_args()
    root = find_micropython_tests()
    names = [f"{folder}/{path.name}" for folder in wanted.folder or ("basics", "float") for path in sorted((root / folder).glob("*.py"))]
    names = [name for name in names if fnmatch.fnmatch(Path(name).stem, wanted.test)]
    outcomes = run(root, names, wanted.jobs)
    for name in names:
        if outcomes[name] not in ("pass", "skip"):
            print(f"FAILED {name}\n{outcomes[name]}")
    count = {kind: sum(outcome == kind for outcome in outcomes.values()) for kind in ("pass", "skip")}
    failed = len(outcomes) - sum(count.values())
    if wanted.json:
        wanted.json.write_text(json.dumps(outcomes, indent=2) + "\n", encoding="utf-8")
    print(f"{count['pass']} passed, {failed} failed, {count['skip']} skipped")
    return 1 if failed or not count["pass"] else 0


def run(root, names, jobs):
    """Outcome of each test: "pass", "skip", or what differs."""
    queue, outcomes = Queue(), {}
    for name in names:
        queue.put(name)

    def worker():
        board = None
        while True:
            try:
                name = queue.get_nowait()
            except Empty:
                if board:
                    board.close()
                return
            board, outcomes[name] = outcome(board, root, name)
            print(f"\r{len(outcomes)} of {len(names)}", end="", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(worker) for _ in range(jobs)]:
            done.result()
    print(file=sys.stderr)
    return outcomes


def outcome(board, root, name):
    """(the board for the next test or None, outcome)."""
    if name in LEFT_OUT:
        return board, "skip"
    path = root / name
    try:
        if board is None:
            board = RP2040(find_image(), node=find_node(), modules=find_modules(), flash_timing="none")
            board.start()
            board.repl.enter()
        else:
            board.repl.soft_reset()
        try:
            told = board.repl.exec(path.read_text(encoding="utf-8"), SECONDS)
        except ReplError as error:
            return board, str(error)
    except (ReplTimeout, BenchError) as error:
        if board:
            board.close()
        return None, f"{type(error).__name__}: {error}"
    if told.strip() == "SKIP":
        return board, "skip"
    wanted = expected(path)
    if agrees(told, wanted):
        return board, "pass"
    lines = difflib.unified_diff(wanted.splitlines(), told.splitlines(), "expected", "told", lineterm="", n=0)
    return board, "\n".join(list(lines)[:12])


def expected(path):
    """What a test must print."""
    kept = path.with_name(path.name + ".exp")
    if kept.exists():
        return kept.read_text(encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(path.parent), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "ignore", "-BS", path.name]
    done = subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, timeout=60)
    return done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")


def agrees(told, wanted):
    """Whether it is what is wanted; a line of eight # stands for any lines."""
    lines = wanted.rstrip("\n").split("\n")
    pattern = "".join("(?:.*\n)*?" if line == ANYTHING else re.escape(line) + "\n" for line in lines)
    return re.fullmatch(pattern, told.rstrip("\n") + "\n") is not None


if __name__ == "__main__":
    sys.exit(main())
