"""`make faults`: every attack, two trials at a time; a table, build/faults.json, and on request the README's section.

python tests/hil/faults/run.py [--seed N] [--quick | --share X] [--only WORDS] [--plant] [--readme]
python tests/hil/faults/run.py --again "ATTACK:SEED"      one trial again, its folder kept
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
for _path in (HERE, ROOT / "host", ROOT / "protocol"):
    sys.path.insert(0, str(_path))

import table  # noqa: E402
from attacks import trials  # noqa: E402
from crew import Crew  # noqa: E402
from healthy import healthy_trials  # noqa: E402
from plants import chip_trials, plant_trials  # noqa: E402
from trial import Trial  # noqa: E402

QUICK_SHARE = 0.02
BUILD = ROOT / "build"


def main() -> int:
    options = _options()
    work = Path(options.work or BUILD / "faults")
    if options.again:
        os.environ["REMNANT_FAULTS_KEEP"] = "1"
        wanted = [_again(options.again)]
    else:
        wanted = _wanted(options)
        shutil.rmtree(work, ignore_errors=True)
    print(f"seed {options.seed}: {sum(trial.count for trial in wanted)} attacks in {len(wanted)} trials", flush=True)
    results: list[dict[str, Any]] = []
    began = time.monotonic()

    def take(result: dict[str, Any]) -> None:
        results.append(result)
        _show(result, len(results), len(wanted), began)

    crew = Crew(work, min(options.workers, len(wanted)))
    try:
        crew.carry_out(wanted, take)
    finally:
        crew.close()
    order = {id_: i for i, id_ in enumerate(dict.fromkeys(trial.attack for trial in wanted))}
    results.sort(key=lambda result: (order[result["trial"]["attack"]], result["trial"]["seed"]))
    return _told(results, options, time.monotonic() - began)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a few of each")
    parser.add_argument("--share", type=float, default=1.0, help="so much of each")
    parser.add_argument("--only", default="", help="attacks whose name or kind has one of these words, comma between")
    parser.add_argument("--readme", action="store_true", help="render the table into README.md")
    parser.add_argument("--again", default="", metavar="ATTACK:SEED", help="one trial, its folder kept")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", default="", help="folder for what trials leave (build/faults)")
    parser.add_argument("--json", default="", help="where the result goes (build/faults.json)")
    return parser.parse_args()


def _wanted(options: argparse.Namespace) -> list[Trial]:
    share = QUICK_SHARE if options.quick else options.share
    found = trials(options.seed, share) + plant_trials(options.seed, share) + chip_trials(options.seed, share) + healthy_trials(share)
    words = [word.strip() for word in options.only.split(",") if word.strip()]
    chosen = [trial for trial in found if not words or any(word in trial.attack or word == trial.kind for word in words)]
    return sorted(chosen, key=lambda trial: not trial.facts.get("long"))  # what takes longest begins first


def _again(name: str) -> Trial:
    """The trial of that name: seeds of trials are 1000 times the suite's seed and a number."""
    attack, _, number = name.rpartition(":")
    seed = int(number) // 1000
    for trial in trials(seed) + plant_trials(seed, 1.0) + chip_trials(seed, 1.0) + healthy_trials(1.0):
        if (trial.attack, trial.seed) == (attack, int(number)):
            return trial
    raise SystemExit(f"there is no trial {name}")


def _show(result: dict[str, Any], done: int, of: int, began: float) -> None:
    trial = result["trial"]
    end = "\r" if sys.stdout.isatty() and result["good"] else "\n"
    if result["good"]:
        if end == "\r" or done % 25 == 0 or done == of:
            print(f"{done:4}/{of}  {time.monotonic() - began:5.0f} s  {trial['attack'][:48]:48}", end=end, flush=True)
        return
    numbers = ", ".join(f"{name} {result[name]}" for name in ("lost", "declared", "doubled", "twice", "altered") if result[name])
    told = "; ".join(part for part in (numbers, ", ".join(result["differs"]), *result["why"]) if part)
    print(f"FAILED {trial['attack']} seed {trial['seed']}: {told[:600]}")
    again = f"{trial['attack']}:{trial['seed']}"
    print(f"  again: .venv/bin/python tests/hil/faults/run.py --again {shlex.quote(again)}", flush=True)


def _told(results: list[dict[str, Any]], options: argparse.Namespace, took_s: float) -> int:
    of = table.rows(results)
    totals = table.totals(of)
    print(f"\n{table.text(of)}\n")
    print(", ".join(f"{name} {value}" for name, value in totals.items()) + f"; {took_s:.0f} s, seed {options.seed}")
    if not options.again:
        BUILD.mkdir(exist_ok=True)
        document = {
            "seed": options.seed,
            "took_s": round(took_s),
            "totals": totals,
            "rows": of,
            "failed": [r for r in results if not r["good"]],
        }
        Path(options.json or BUILD / "faults.json").write_text(json.dumps(document, indent=1) + "\n")
    if options.readme:
        readme = ROOT / "README.md"
        readme.write_text(table.into_readme(readme.read_text(encoding="utf-8"), table.markdown(of, options.seed)), encoding="utf-8")
    return 1 if totals["trials_failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
