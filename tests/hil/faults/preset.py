"""Starts the firmware of a virtual board with a clock or a noise that no scenario has: `preset.py scenario.json`, key "preset".

starts_us: the board's microsecond counter begins there, below 2^30; noise: thermistor noise in counts rms a sample; cut: [number, byte]:
the power goes while that page is written to flash, so many bytes of it are there.
"""

import json
import sys

with open(sys.argv[1]) as file:
    wanted = json.load(file)["preset"]

from hal import sim  # noqa: E402
from plant import thermistor  # noqa: E402

if "noise" in wanted:
    thermistor.NOISE_COUNTS = wanted["noise"]
if "starts_us" in wanted:
    begin = sim._Clock.__init__

    def late(self, bench, speed):
        begin(self, bench, speed)
        self._now = wanted["starts_us"]

    sim._Clock.__init__ = late

if "cut" in wanted:
    program = sim._Flash.program
    left = [wanted["cut"][0]]

    def torn(self, page, offset, data):
        if len(data) > 16:  # not a mark that a page is kept
            left[0] -= 1
            if left[0] == 0:
                program(self, page, offset, bytes(data)[: wanted["cut"][1]])
                raise SystemExit
        return program(self, page, offset, data)

    sim._Flash.program = torn

import main  # noqa: E402, F401
