"""The emulated board as a process: serve.py SCENARIO.json, the line on stdin and stdout. Started by host/remnant/virtual/emulated.py.

Follows the wall clock times `speed` where the machine is fast enough, and never leaps to catch up. A second descriptor carries faults to
switch (JSON lines); when it closes, the process ends.
"""

import json
import os
import select
import sys
import time

from bench_rig import SLICE_MS, Rig

LATE_S = 0.05
BOOT_MS = 4000  # until the firmware answers; a start is slow to emulate


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        scenario = json.load(file)
    options = {"xip_miss_cycles": scenario["xip_miss_cycles"]} if "xip_miss_cycles" in scenario else {}
    with Rig(scenario, **options) as rig:
        rig.takes_usb = True
        rig.run_ms(BOOT_MS)
        os.write(scenario["control_fd"], b"ready\n")
        serve(rig, scenario["control_fd"], scenario.get("speed") or 8.0)


def serve(rig, control, speed):
    """Move the bench and carry bytes, until the control descriptor closes."""
    os.set_blocking(0, False)
    os.set_blocking(1, False)
    pending, orders = b"", b""
    due = time.monotonic()
    while True:
        wait_s = max(0.0, due - time.monotonic())
        ready, _, _ = select.select([control], [], [], wait_s)
        if ready:
            got = os.read(control, 4096)
            if not got:
                return
            *lines, orders = (orders + got).split(b"\n")
            for line in lines:
                wish = json.loads(line)
                rig.plant.set_fault(wish["fault"], wish["value"])
            continue
        pending = _write(pending + rig.step(SLICE_MS, usb=_read()).usb)
        rig.usb_hold(len(pending) > 4096)
        now = time.monotonic()
        due += SLICE_MS / 1000 / speed
        if now - due > LATE_S:
            due = now


def _read():
    try:
        return os.read(0, 4096)
    except (BlockingIOError, OSError):  # nothing there, or nobody holds the other end
        return b""


def _write(data):
    """Write what the line takes; return the rest."""
    while data:
        try:
            data = data[os.write(1, data) :]
        except OSError:
            break
    return data


main()
