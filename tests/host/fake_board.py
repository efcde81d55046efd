"""A board that is none: a thread on a pseudo terminal that speaks the protocol and can be told to misbehave.

It counts credit as a board does, so a host that counts wrongly is seen (`overdrawn`, `stuck`), and it remembers what it was asked.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import time
import tty
from collections import Counter
from typing import Any

import msgpack

from remnant_protocol import errors as codes
from remnant_protocol import frame, packing
from remnant_protocol import messages as m

CREDIT = 255
LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,
    "temp_cutoff_mc": 130000,
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,
    "pumps": 2,
    "flow_max_nl_per_min": 100000000,
    "cells": 4,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 4096,
    "wait_max_ms": 4294967295,
}
SCALES = {"monitor_dark_u16": 200, "probe_pulse_us": 2000}
BOOT_ID = 77
PAGE_RECORDS = 2


def telemetry(seq: int, temp_mc: int = 25000, t_s: int | None = None) -> list[Any]:
    """A telemetry record, one a second."""
    return [m.TELEMETRY, seq, seq if t_s is None else t_s, 0, m.RUNNING, 0, 25000, temp_mc, 6553, 0, 0, 0, 10]


class FakeBoard:
    """`records`: bodies that are in its journal from the start, numbered from 1.

    damage: sequence numbers whose frame is spoilt once (a list: as often as it stands there). forgotten: numbers it no longer has. swallow:
    ops whose first reply is lost. refuse: op -> [code, value, limit]. script: bodies (without seq, s, us) that it journals after START.
    deaf: it never says anything. link: a path that leads to its port, whatever that is called at the time.
    """

    def __init__(self, records=(), *, major=m.PROTOCOL_MAJOR, table_hash=m.TABLE_HASH, state=m.READY, deaf=False, noise=b"", damage=(),
                 forgotten=(), swallow=(), refuse=None, script=(), stop_answers=True, link=None, uid="F-1"):  # fmt: skip
        self.journal = {seq: body for seq, body in enumerate(records, 1)}
        self.next_seq = len(self.journal) + 1
        self.first_seq = 1
        self.major, self.table_hash, self.state, self.deaf, self.noise = major, table_hash, state, deaf, noise
        self.damage, self.forgotten, self.swallow = Counter(damage), set(forgotten), set(swallow)
        self.refuse, self.script, self.stop_answers = refuse or {}, list(script), stop_answers
        self.asked: list[list[Any]] = []
        self.executed: Counter[int] = Counter()
        self.acknowledged = 0
        self.overdrawn = 0
        self.greetings = 0
        self.resends: list[int] = []
        self.boot_id, self.uid, self.link = BOOT_ID, uid, link
        self.run_id, self.interrupted = b"", False
        self.pages: dict[int, list[Any]] = {}  # number -> HISTORY message; a page that is kept leaves
        self.pages_sent: list[int] = []
        self._next_page = 1
        self._began = time.monotonic()
        self._pages_out: dict[int, float] = {}
        self._replies: dict[int, list[Any]] = {}
        self._answers: list[bytes] = []
        self._cursor = 1
        self._sent = self._counted = 0
        self._greeted = False
        self._out = b""
        self._stop = threading.Event()
        self._parser = frame.Parser(self._on_body)

    def __enter__(self) -> FakeBoard:
        self.plug_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.pull_the_plug()

    def plug_in(self) -> None:
        """A new port, as after an enumeration; what the board knows is what it knew."""
        self._stop = threading.Event()
        self._parser = frame.Parser(self._on_body)
        self._greeted = False
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        if self.link:
            new = f"{self.link}.new"
            os.symlink(self.port, new)
            os.replace(new, self.link)

    def pull_the_plug(self) -> None:
        """Gone, as when the cable is pulled; the board itself goes on."""
        self._stop.set()
        self._thread.join(5)
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def reset(self, run_id: bytes = b"", previous_seq: int | None = None, keep: bool = True) -> None:
        """A new boot; the port stays away until `plug_in`. run_id: of the run that it interrupted. keep: what was not acknowledged is
        history now."""
        last = self.next_seq - 1
        if keep:
            self.spool([seq for seq in sorted(self.journal) if seq > self.acknowledged])
        previous, self.boot_id = self.boot_id, self.boot_id + 1
        self.journal, self.next_seq, self.first_seq, self.acknowledged = {}, 1, 1, 0
        self._replies.clear()
        self.forgotten.clear()
        self.run_id, self.interrupted, self.state = run_id, bool(run_id), m.READY
        self.add(m.EVENT, m.BOOTED, 1, previous, last if previous_seq is None else previous_seq)
        if run_id:
            self.add(m.EVENT, m.RUN_INTERRUPTED, run_id, 0)

    def spool(self, seqs: list[int], first: int | None = None, last: int | None = None) -> None:
        """Move records from the ring into a page of history."""
        if not seqs:
            return
        for i in range(0, len(seqs), PAGE_RECORDS):
            part = seqs[i : i + PAGE_RECORDS]
            packer = packing.Packer()
            for seq in part:
                assert packer.add(msgpack.packb(self.journal.pop(seq)), seq)
            data = bytes(packer.buffer[: packer.finish()])
            self.pages[self._next_page] = [m.HISTORY, self._next_page, self.boot_id, first or part[0], last or part[-1], data]
            self._next_page += 1
        self.forgotten.update(seqs)

    @property
    def outstanding(self) -> int:
        """Bytes on the way that the host has not counted."""
        return (self._sent - self._counted) & 0xFFFF

    def add(self, kind: int, *fields: Any, t_s: int | None = None) -> None:
        """Journal one more record."""
        seq = self.next_seq
        self.journal[seq] = [kind, seq, seq if t_s is None else t_s, 0, *fields]
        self.next_seq = seq + 1

    # ---- its thread

    def _live(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while not self._stop.is_set():
            poll.poll(2)
            with contextlib.suppress(BlockingIOError, OSError):
                while data := os.read(self._master, 4096):
                    self._parser.feed(data)
            if not self.deaf:
                self._pump()

    def _pump(self) -> None:
        if not self._greeted:
            return
        while True:
            if not self._out and not self._next_frame():
                return
            room = CREDIT - self.outstanding
            if room <= 0:
                return
            try:
                n = os.write(self._master, self._out[:room])
            except BlockingIOError:
                return
            self._out = self._out[n:]
            self._sent = (self._sent + n) & 0xFFFF

    def _next_frame(self) -> bool:
        if self._answers:
            self._out = frame.encode(self._answers.pop(0))
            return True
        while self._cursor < self.next_seq and (self._cursor in self.forgotten or self._cursor not in self.journal):
            self._cursor += 1
        if self._cursor >= self.next_seq:
            return self._next_history()
        coded = bytearray(frame.encode(msgpack.packb(self.journal[self._cursor])))
        if self.damage[self._cursor] > 0:
            self.damage[self._cursor] -= 1
            coded[len(coded) // 2] ^= 0x55
            if coded[len(coded) // 2] == 0:
                coded[len(coded) // 2] = 1
        self._out = bytes(coded)
        self._cursor += 1
        return True

    def _next_history(self) -> bool:
        now = time.monotonic()
        for number, fields in self.pages.items():
            sent_at = self._pages_out.get(number)
            if (sent_at is None and len(self._pages_out) < 4) or (sent_at is not None and now - sent_at > 1.0):
                self._pages_out[number] = now
                self.pages_sent.append(number)
                self._out = frame.encode(msgpack.packb(fields))
                return True
        return False

    def _answer(self, *fields: Any) -> None:
        self._answers.append(msgpack.packb(fields))

    def _on_body(self, body: bytes) -> None:
        fields = msgpack.unpackb(body)
        self.asked.append(fields)
        kind = fields[0]
        if kind == m.HELLO:
            self._hello()
        elif kind == m.DESCRIBE:
            keys = sorted(LIMITS)
            pages = [{key: LIMITS[key] for key in keys[:6]}, {key: LIMITS[key] for key in keys[6:]}, SCALES]
            self._answer(m.DESCRIPTION, fields[1], pages[fields[1]])
        elif kind == m.PING:
            us = round((time.monotonic() - self._began) * 1e6)
            self._answer(m.PONG, fields[1], 12 + us // 1_000_000, us % 1_000_000)
        elif kind == m.ACK:
            ahead = (fields[1] - self._counted) & 0xFFFF
            if ahead <= self.outstanding:
                self._counted = fields[1]
            elif ahead < 0x8000:  # more than was sent: of the time before a HELLO, or wrong
                self.overdrawn += 1
            if fields[2] == self.boot_id:
                self.acknowledged = max(self.acknowledged, fields[3])
        elif kind == m.PAGE_KEPT:
            self.pages.pop(fields[1], None)
            self._pages_out.pop(fields[1], None)
        elif kind == m.RESEND:
            self.resends.append(fields[2])
            self._cursor = fields[2]
        elif kind == m.COMMAND:
            self._command(fields)

    def _hello(self) -> None:
        self.greetings += 1
        if self.noise:
            os.write(self._master, self.noise)
        self._greeted = True
        self._answers.clear()
        self._out = b""
        self._sent = self._counted = 0
        self._cursor = max(self.first_seq, self.acknowledged + 1)
        self._pages_out.clear()
        who = (self.major, m.PROTOCOL_MINOR, "fake", self.uid, 1, self.table_hash, self.boot_id, 0, self.state)
        what = (self._cursor, self.next_seq, 3, True, len(self.pages), self.run_id, self.interrupted)
        self._answer(m.WELCOME, *who, *what)

    def _command(self, fields: list[Any]) -> None:
        number, op, arguments = fields[1], fields[2], fields[3:]
        if number not in self._replies:
            self.executed[op] += 1
            self._replies[number] = [m.REPLY, number, *self._execute(number, op, arguments)]
        if op in self.swallow:
            self.swallow.discard(op)
            return
        self._answer(*self._replies[number])

    def _execute(self, number: int, op: int, arguments: list[Any]) -> list[Any]:
        if op in self.refuse:
            return self.refuse[op]
        if op == m.STATUS:
            return [0, self.state, 0, 25000, -300000, 0, 0, 0, 100000, len(self.pages)]
        if op == m.START:
            self.state, self.run_id = m.RUNNING, arguments[0]
            self.add(m.EVENT, m.RUN_STARTED, arguments[0])
            self._play()
        elif op == m.RESUME_RUN:
            if not self.interrupted or arguments[0] != self.run_id:
                return [codes.RESUME_NOTHING]
            self.state, self.interrupted = m.RUNNING, False
            self.add(m.EVENT, m.RUN_RESUMED, *arguments, 0)
            self._play()
        elif op in (m.STOP, m.CUT) and self.stop_answers:
            by = m.BY_STOP if op == m.STOP else m.BY_CUT
            self.add(m.EVENT, m.OUTPUTS_OFF, by, 6553, 0, 0, 15)
            self.add(m.EVENT, m.RUN_ENDED, by, 0)
            self.state, self.run_id = m.READY, b""
        elif op in (m.HEATER, m.LAMP, m.PROBE):
            self.add(m.EXECUTED, number, op, 0, 3, 250000, 25100)
        return [0, *arguments]

    def _play(self) -> None:
        for body in self.script:
            self.add(*body)
            if body[:2] == (m.EVENT, m.RUN_ENDED):
                self.state, self.run_id = m.READY, b""


def wait_until(condition, within_s: float = 20.0) -> None:
    """Wait for something that a thread does; AssertionError when it does not."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)
