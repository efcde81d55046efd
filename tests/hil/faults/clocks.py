"""A host whose wall clock jumps: in its own process only, `time.time` and `datetime.now` go back and forth by up to a week."""

from __future__ import annotations

import datetime
import random
import sys
import time
from collections.abc import Callable

WEEK_S = 7 * 86400.0
EVERY_S = 0.1


def jumping(seed: int) -> Callable[[], None]:
    """What to call in a new process first of all."""

    def install() -> None:
        chance = random.Random(seed)
        true_time, monotonic = time.time, time.monotonic
        state = {"next": monotonic(), "offset": 0.0}

        def jumped() -> float:
            if monotonic() >= state["next"]:
                state["next"] = monotonic() + EVERY_S
                state["offset"] = chance.uniform(-WEEK_S, WEEK_S)
            return true_time() + state["offset"]

        class Jumping(datetime.datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.datetime.fromtimestamp(jumped(), tz)

        time.time = jumped
        time.time_ns = lambda: int(jumped() * 1e9)
        for name, module in list(sys.modules.items()):
            if name.startswith("remnant.") and getattr(module, "datetime", None) is datetime.datetime:
                module.datetime = Jumping

    return install
