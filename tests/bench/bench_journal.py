"""What keeping records costs: commits to disk, bytes on the wire and in flash, RAM, and how long the flash lasts."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

from conftest import interpreter_command
from remnant.link import Batch
from remnant.record import Journal
from remnant.record.journal import GATHER_RECORDS
from remnant_protocol import codec, frame
from remnant_protocol import messages as m
from remnant_protocol.schema import MESSAGES

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "protocol"))
from test_packing import Chance, pages_of, soak, telemetry  # noqa: E402

COMMITS = 300
KLIPPER_BLOCK_BYTES = 5  # length, sequence, CRC-16, sync byte; www.klipper3d.org/Protocol.html
ERASE_CYCLES = 100_000  # W25Q16JV datasheet rev. M, endurance of a sector
SPOOL_PAGES = 60 * 16  # rpi_pico: 68 sectors, eight of them for checkpoints
CHECKPOINT_PAGES = 8 * 16
CHECKPOINT_EVERY_S = 30
DAY_S = 86_400
YEAR_D = 365.25
FIELDS = [name.split(":")[0] for name in MESSAGES[m.TELEMETRY][1]]

RAM = r"""
import gc
from remnant_protocol import codec
import rig.journal, rig.history, rig.spool, rig.clock
from fake_hal import FakeClock, FakeFlash
flash, memory = FakeFlash(2), memoryview(bytearray(4096))
clock = rig.clock.Clock(FakeClock())
gc.collect()
before = gc.mem_alloc()
pages = rig.spool.PageRing(flash, 0, 2)
history = rig.history.History(pages, 1, 8)
history.journal = rig.journal.Journal(clock, memory=memory, boot_id=1)
gc.collect()
print(gc.mem_alloc() - before)
"""


def run() -> list[dict]:
    return [*commits(), *wire(), *ram(), *flash()]


def commits() -> list[dict]:
    """Full batches one after the other, each waited for: WAL, synchronous FULL, so that committed means on disk."""
    done = threading.Semaphore(0)
    with tempfile.TemporaryDirectory() as name:
        journal = Journal(Path(name), lambda *_: done.release())
        journal.boot_id = 1
        bodies = [telemetry(row) for row in soak(GATHER_RECORDS, Chance(1))]
        began = time.perf_counter()
        for i in range(COMMITS):
            records = []
            for k, body in enumerate(bodies):
                seq = i * GATHER_RECORDS + k + 1
                records.append((seq, body, [m.TELEMETRY, seq, seq, 0]))
            journal.write(Batch(records=records))
            done.acquire(timeout=10)
        taken = time.perf_counter() - began
        journal.close()
    what = f"{GATHER_RECORDS} records each, SQLite in WAL with synchronous FULL; a board at 10 Hz asks for one in 3 s"
    return [_row("journal_commits_per_s", COMMITS / taken, "1/s", ">= 10", what)]


def wire() -> list[dict]:
    rows = soak(3000, Chance(5))
    bodies = [telemetry(row) for row in rows]
    live = sum(len(frame.encode(body)) for body in bodies) / len(bodies)
    as_json = sum(len(json.dumps(dict(zip(FIELDS, row, strict=True)), separators=(",", ":"))) + 1 for row in rows) / len(rows)
    pages = pages_of(bodies)
    history = sum(len(frame.encode(codec.encode([m.HISTORY, 70000 + i, 1 << 30, *page]))) for i, page in enumerate(pages)) / len(bodies)
    per_block = f"Klipper: {KLIPPER_BLOCK_BYTES} bytes a block beside its contents; ours has a CRC-32 and a delimiter at both ends"
    return [
        _row("wire_bytes_per_telemetry_record", live, "bytes", "", f"JSON line with the same fields: {as_json:.0f} bytes"),
        _row("wire_overhead_bytes_per_frame", live - len(bodies[0]), "bytes", "", per_block),
        _row(
            "wire_bytes_per_record_of_history", history, "bytes", "", f"live: {live:.0f} bytes; soak at 80 degC, 10 Hz, packed into pages"
        ),
        _row("history_compression_ratio", live / history, "x", ">= 5", "bytes of a live frame over bytes of a record in a HISTORY frame"),
    ]


def ram() -> list[dict]:
    import subprocess

    command, environment = interpreter_command("micropython-i386")
    environment["MICROPYPATH"] += ":" + str(Path(__file__).resolve().parents[1] / "firmware")
    told = subprocess.run([*command, "-c", RAM], env=environment, capture_output=True, text=True, check=True)
    what = "journal, packer and spool of one board, 32 bit; the ring of 4096 bytes lies outside of the heap"
    return [_row("journal_heap_bytes_i386", int(told.stdout), "bytes", "<= 8192", what)]


def flash() -> list[dict]:
    bodies = [telemetry(row) for row in soak(3000, Chance(5), 1_000_000)]
    per_page = len(bodies) / len(pages_of(bodies))
    rounds_a_day = DAY_S / per_page / SPOOL_PAGES
    checkpoints = DAY_S / CHECKPOINT_EVERY_S / CHECKPOINT_PAGES
    return [
        _row("flash_bytes_per_telemetry_record", 256 / per_page, "bytes", "", f"as it lies in RAM: {codec.TelemetryRecord.LENGTH + 1}"),
        _row(
            "flash_life_no_host_years", ERASE_CYCLES / rounds_a_day / YEAR_D, "a", ">= 10", "1 s telemetry, never a host, 100 000 erasures"
        ),
        _row(
            "flash_life_checkpoints_years", ERASE_CYCLES / checkpoints / YEAR_D, "a", ">= 10", "a run without end, a checkpoint each 30 s"
        ),
        _row("spool_hours_all_records_10_hz", 13 / 16 * SPOOL_PAGES * per_page / 36_000, "h", ">= 1", "soak, before telemetry is thinned"),
    ]


def _row(name, value, unit, goal, compared_with) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": compared_with}
