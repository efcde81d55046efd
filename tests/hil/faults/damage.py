"""What a bad line does to bytes: one Damage a direction, seeded; the same bytes and the same seed give the same damage.

Frames are told apart by their delimiters only, and their fate is drawn when their first byte comes: bytes are held back for a reordered
frame alone, because a sender on credit waits for what is held.
"""

from __future__ import annotations

import random

HOLD_S = 0.03  # a frame waits at most so long for the one that is to overtake it
LINE_BYTES_PER_S = 1_000_000  # what USB full speed carries
_PASS, _DROP, _DOUBLE, _REORDER, _TRUNCATE = range(5)
_FATES = {"drop": _DROP, "double": _DOUBLE, "reorder": _REORDER, "truncate": _TRUNCATE}


class Damage:
    """flip: probability a byte of one flipped bit; drop, double, reorder, truncate: probability a frame. counts: what was done."""

    def __init__(self, seed: str, flip: float = 0.0, **frames: float):
        self._random = random.Random(seed)
        self._flip = flip
        self._frames = [(_FATES[name], rate) for name, rate in sorted(frames.items())]
        self._next_flip = self._gap()
        self._fate = _PASS
        self._frame = bytearray()  # of the present one: what has come so far
        self._cut = 0
        self._held = b""
        self._held_at = 0.0
        self.counts = {"flips": 0, "drop": 0, "double": 0, "reorder": 0, "truncate": 0}

    def feed(self, data: bytes, now_s: float) -> bytes:
        """Bytes that came from one end; returns those that go on to the other."""
        if self._frames:
            out = bytearray()
            for byte in data:
                self._byte(byte, out, now_s)
            data = bytes(out)
        return self._flipped(data) if self._flip else data

    def late(self, now_s: float) -> bytes:
        """A held frame that nothing has overtaken in time."""
        if self._held and now_s - self._held_at > HOLD_S:
            held, self._held = self._held, b""
            return held
        return b""

    def _byte(self, byte: int, out: bytearray, now_s: float) -> None:
        frame = self._frame
        if not frame and byte == 0:
            out.append(0)  # the delimiter in front, and idle line
            return
        if not frame:
            self._fate = self._drawn()
            self._cut = self._random.randrange(1, 24)
        frame.append(byte)
        fate = self._fate
        if fate in (_PASS, _DOUBLE) or (fate == _TRUNCATE and len(frame) <= self._cut):
            out.append(byte)
        if byte:
            return
        whole = bytes(frame)
        frame.clear()
        if fate == _DOUBLE:
            out += b"\0" + whole
        elif fate == _REORDER and not self._held:
            self._held, self._held_at = b"\0" + whole, now_s
        elif fate == _REORDER:
            out += whole
        elif self._held:
            out += self._held
            self._held = b""

    def _drawn(self) -> int:
        draw = self._random.random()
        for fate, rate in self._frames:
            if draw < rate:
                name = next(key for key, value in _FATES.items() if value == fate)
                self.counts[name] += 1
                return fate
            draw -= rate
        return _PASS

    def _gap(self) -> int:
        return int(self._random.expovariate(self._flip)) if self._flip else 0

    def _flipped(self, data: bytes) -> bytes:
        if self._next_flip >= len(data):
            self._next_flip -= len(data)
            return data
        damaged = bytearray(data)
        at = self._next_flip
        while at < len(damaged):
            damaged[at] ^= 1 << self._random.randrange(8)
            self.counts["flips"] += 1
            at += 1 + self._gap()
        self._next_flip = at - len(damaged)
        return bytes(damaged)


class Flood:
    """Bytes that nobody sent. kind: "garbage", or two hex digits of the byte that is repeated; rate in bytes a second."""

    def __init__(self, seed: str, kind: str, bytes_per_s: float, until_s: float, now_s: float):
        self._random = random.Random(seed)
        self._byte = None if kind == "garbage" else bytes.fromhex(kind)
        self._rate = bytes_per_s
        self._last_s = now_s
        self._until_s = until_s
        self.injected = 0

    def over(self, now_s: float) -> bool:
        return now_s > self._until_s

    def due(self, now_s: float, room: int) -> bytes:
        """What the line carries since the last call, at most `room` bytes."""
        count = min(int((now_s - self._last_s) * self._rate), room)
        if count <= 0:
            return b""
        self._last_s = now_s
        self.injected += count
        return self._random.randbytes(count) if self._byte is None else self._byte * count
