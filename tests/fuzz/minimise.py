"""Keep a small corpus: minimise.py [TARGET ...]. From corpus/TARGET and build/fuzz/TARGET/corpus the files that together pass every branch.

Smallest files first; a file stays when it takes a line-to-line step in the guiding modules that none before it took, or takes one it took
seldom much more often (counts in powers of four). Files are named by the first 12 digits of their SHA-1.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections import Counter

import targets

FILES_MAX = 150
SIZE_MAX = 299


class Steps:
    """Counts steps from line to line in the modules of a target."""

    def __init__(self, name: str):
        self._files = tuple(module.replace(".", os.sep) for module in targets.GUIDES[name])
        self._wanted: dict[str, bool] = {}
        self.seen: Counter = Counter()

    def trace(self, frame, event, argument):
        code = frame.f_code
        wanted = self._wanted.get(code.co_filename)
        if wanted is None:
            wanted = self._wanted[code.co_filename] = any(
                file + "." in code.co_filename or file + os.sep in code.co_filename for file in self._files
            )
        if not wanted:
            return None
        seen, last = self.seen, 0

        def line(frame, event, argument):
            nonlocal last
            seen[code, last, frame.f_lineno] += 1
            last = frame.f_lineno
            return line

        return line


def features(name: str, target, data: bytes) -> set | None:
    """What an input reaches; None when it is a finding."""
    steps = Steps(name)
    sys.settrace(steps.trace)
    try:
        target.fuzz_one(data)
    except Exception:
        return None
    finally:
        sys.settrace(None)
    return {(step, count.bit_length() // 2) for step, count in steps.seen.items()}


def main(names: list[str]) -> None:
    targets.use_folders()
    for name in names or targets.TARGETS:
        target = importlib.import_module("target_" + name)
        home = targets.CORPUS / name
        home.mkdir(exist_ok=True)
        inputs = {}
        for folder in (home, targets.ROOT / "build/fuzz" / name / "corpus"):
            for path in sorted(folder.glob("*")):
                data = path.read_bytes()
                if len(data) <= SIZE_MAX:
                    inputs[hashlib.sha1(data).hexdigest()[:12]] = data
        reached, steps, first, second = set(), set(), [], []
        for key in sorted(inputs, key=lambda key: (len(inputs[key]), key)):
            found = features(name, target, inputs[key])
            if found is None or found <= reached:
                continue
            new = {step for step, _ in found} - steps
            (first if new else second).append(key)
            reached |= found
            steps |= {step for step, _ in found}
        kept = (first + second)[:FILES_MAX]
        for path in home.glob("*"):
            if path.name not in kept:
                path.unlink()
        for key in kept:
            (home / key).write_bytes(inputs[key])
        missed = len(first) - FILES_MAX
        print(f"{name}: {len(kept)} of {len(inputs)} inputs, {len(steps)} steps" + f", {missed} too many" * (missed > 0), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
