"""The host's reader of bodies (host/remnant/link/line.py) on any bodies in any order: nothing raised, records in sequence.

Input: a first byte; bit 0: a HELLO has gone out; then pieces: a byte n; below 250 the next n bytes are a body, which arrives in a good
frame; above: garbage, the host commits what it has, asks to begin again with what it has not, or the line is silent. CPython only.
"""

import contextlib

import msgpack

from remnant.link import line, order
from remnant_protocol import frame
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError
from remnant_protocol.packing import unpack


class Port:
    """A serial port that takes everything and sends nothing."""

    def write(self, data):
        pass


class Idle:
    """A thread that never runs: the fuzzer calls what it would."""

    def __init__(self, **_):
        pass

    def start(self):
        pass


class Threads:
    Thread = Idle
    Lock = line.threading.Lock


class Time:
    now = 0.0

    @classmethod
    def monotonic(cls):
        return cls.now


line.threading, line.opened, line.reader = Threads, lambda path: Port(), lambda port: lambda: b""
line.time = order.time = Time


class Heard:
    """What the rest of the host sees of a line; raises AssertionError when it is not what a Batch promises."""

    def __init__(self):
        self.stream = self.last = None
        self.records = self.answers = self.pages = 0

    def __call__(self, batch):
        assert batch.lost is None
        for fields in batch.answers:
            assert isinstance(fields, list) and isinstance(fields[0], int) and fields[0] < m.TELEMETRY
            self.answers += 1
        if (batch.boot_id, batch.stream) != self.stream:
            self.stream, self.last = (batch.boot_id, batch.stream), None
        for seq, body, fields in batch.records:
            assert fields[1] == seq and msgpack.unpackb(body, raw=False, strict_map_key=False)[1] == seq
            assert self.last is None or seq > self.last, "a record out of order"
            self.last = seq
            self.records += 1
        for fields in batch.pages:
            self.pages += 1
            with contextlib.suppress(RigError):
                unpack(fields[5])


def fuzz_one(data):
    """Return what has been heard."""
    heard = Heard()
    Time.now = 0.0
    link = line.Link("fuzz", heard)
    if data and data[0] & 1:
        link.send(m.HELLO, 1, 1, "fuzz")
    at = 1
    while at < len(data):
        n, at = data[at], at + 1
        if n < 250:
            body = bytes(data[at : at + min(n, frame.BODY_MAX)])
            at += n
            if body:
                link._take(frame.encode(body))
        elif n == 250:
            link._take(bytes(data[at : at + 8]))
            at += 8
        elif n == 251:
            link.committed(heard.last or 0)
        elif n == 252:
            link.go_back(link._boot_id, (heard.last or 0) + 1)
            link._begin_again()
        else:
            Time.now += 0.4 if n == 253 else 1.1
            link._nothing_came()
        link._acknowledge()
        link._hand_over()
    return f"{heard.answers} {heard.records} {heard.pages} {link.bad_frames > 0}"
