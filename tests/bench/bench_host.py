"""Host and virtual board together: 48 h as fast as they go, a command's round trip, records from the wire to committed disk."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import tempfile
import time
import tty
from pathlib import Path
from statistics import median, quantiles

from remnant.board import Board
from remnant.cli.output import Output
from remnant.cli.running import Wish, run_all
from remnant.record import Journal
from remnant.virtual import VirtualBoard

ROUND_TRIPS = 2000
RECORDS = 50_000
HOURS = 48

# A board that does nothing but send records as fast as its credit lets it: WELCOME at HELLO, then telemetry.
FLOOD = """
import os, sys, struct
from remnant_protocol import codec, frame, messages as m
count = int(sys.argv[1])
fd = int(sys.argv[2])
record = codec.TelemetryRecord()
sent = counted = seq = acked = 0
out = b""
def body(data):
    global counted, sent, out, acked
    fields = codec.decode(data)
    if fields[0] == m.HELLO:
        welcome = [m.WELCOME, 1, 0, "flood", "flood", 0, m.TABLE_HASH, 7, 0, 1, 1, 1, 0, True]
        out = frame.encode(codec.encode(welcome)); sent = counted = 0
    elif fields[0] == m.ACK:
        counted = fields[1]
        acked = fields[3]
parser = frame.Parser(body)
while acked < count:
    room = 255 - ((sent - counted) & 0xffff)
    while room > 0 and (out or 0 < counted and seq < count):
        if not out:
            seq += 1
            n = record.pack(seq, seq, 0, 2, 0, 80000, 80000, 100, 0, 0, 0, 0)
            out = frame.encode(record.buffer[:n])
        n = os.write(fd, out[:room]); sent = (sent + n) & 0xffff; room -= n; out = out[n:]
    parser.feed(os.read(fd, 4096))
"""


def run() -> list[dict]:
    return [*ingest(), *asyncio.run(round_trip()), *hours_48()]


def ingest() -> list[dict]:
    """A child process floods a pseudo terminal with frames; the clock stops when the last record is committed."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    child = subprocess.Popen([sys.executable, "-c", FLOOD, str(RECORDS), str(master)], pass_fds=[master])
    os.close(master)

    async def take(folder: Path) -> float:
        journal = Journal(folder)
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        board = Board(os.ttyname(slave), journal.write)

        def committed(seq: int) -> None:
            board.link.committed(seq)
            if seq >= RECORDS:
                loop.call_soon_threadsafe(done.set)

        journal.on_committed = committed
        began = time.perf_counter()
        welcome = await board.hello()
        journal.boot_id = welcome.boot_id
        await asyncio.wait_for(done.wait(), 120)
        taken = time.perf_counter() - began
        board.close()
        journal.close()
        return taken

    with tempfile.TemporaryDirectory() as name:
        taken = asyncio.run(take(Path(name)))
    os.close(slave)
    child.wait(10)
    return [_row("ingest_records_per_s", RECORDS / taken, "1/s", "", "a rig at full rate makes 10 records a second")]


async def round_trip() -> list[dict]:
    with VirtualBoard(seed=1) as virtual:
        board = await Board.connect(virtual.port)
        await board.ready()
        times = []
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            await board.status()
            times.append((time.perf_counter() - began) * 1000)
        board.close()
    beside = "belay (MicroPython RPC over USB): 4.19 ms mean, 11.52 ms max by its README"
    return [
        _row("roundtrip_pty_ms_p50", median(times), "ms", "", beside),
        _row("roundtrip_pty_ms_p99", quantiles(times, n=100)[98], "ms", "", beside),
    ]


def hours_48() -> list[dict]:
    with tempfile.TemporaryDirectory() as name:
        wish = Wish("uv-365", "uv-365", {}, Path(name) / "run", scenario={"seed": 1})
        output = Output(False)
        output.say = lambda text: None
        began = time.perf_counter()
        result = run_all([wish], output)[0]
        taken = time.perf_counter() - began
    assert result.status == "completed", result.status
    count = result.manifest["records"]["count"]
    what = f"uv-365, {HOURS} h at 10 Hz control, {count} records, recorded and tabulated; {result.manifest['simulation']['interpreter']}"
    return [
        _row("virtual_48h_wall_s", taken, "s", "<= 30", what),
        _row("virtual_hours_per_wall_s", HOURS / taken, "h/s", "", what),
    ]


def _row(name, value, unit, goal, compared_with) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": compared_with}
