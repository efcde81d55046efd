"""One fuzzing process: drive.py TARGET WORK_FOLDER [libFuzzer options]. atheris guides it by the branches of the modules in targets.GUIDES.

An input that makes `fuzz_one` raise is kept under WORK_FOLDER/findings and the fuzzer goes on: one file per exception, place and words.
"""

import importlib
import os
import re
import sys
import traceback
from pathlib import Path

import atheris
import targets


def main(name: str, work: Path, options: list[str]) -> None:
    os.nice(10)
    targets.use_folders()
    with atheris.instrument_imports(include=targets.GUIDES[name]):
        target = importlib.import_module("target_" + name)
    findings = work / "findings"
    findings.mkdir(parents=True, exist_ok=True)

    def one(data: bytes) -> None:
        try:
            target.fuzz_one(data)
        except Exception as error:
            keep(findings, name, data, error)

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def keep(findings: Path, name: str, data: bytes, error: Exception) -> None:
    """Write the input and its traceback unless a shorter one of the same kind lies there."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    words = "-".join(re.findall("[a-z]+", str(error).lower())[:5])
    path = findings / f"{name}-{type(error).__name__}-{Path(last.filename).stem}-{last.lineno}-{words}"
    if path.exists() and path.stat().st_size <= len(data):
        return
    path.write_bytes(data)
    told = "".join(traceback.format_exception(error))
    path.with_name(path.name + ".txt").write_text(f"{data.hex()}\n{told}", encoding="utf-8")


main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
