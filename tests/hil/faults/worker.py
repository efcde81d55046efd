"""A process that carries out trials: a JSON trial a line in, a JSON result a line out. It warms the command up once and forks it."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import hosts  # noqa: E402
from trial import Trial, carry_out  # noqa: E402

TELLS_AFTER_S = 150.0


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a trial prints is no answer
    warnings.simplefilter("ignore")
    work = Path(sys.argv[1])
    work.mkdir(parents=True, exist_ok=True)
    hosts.warm(HERE / "short.yaml")
    answers.write('"ready"\n')
    for line in sys.stdin:
        trial = Trial(**json.loads(line))
        if not trial.facts.get("long"):
            faulthandler.dump_traceback_later(TELLS_AFTER_S)  # where it hangs, before the crew ends it
        answers.write(json.dumps(carry_out(trial, work)) + "\n")
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
