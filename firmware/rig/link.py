"""The line to the host: frames in; answers, then live records, then history out; never more than the host's credit.

The board has at most CREDIT_BYTES on the way that the host has not counted; without credit it waits, and the control tick never does.
Longest blocking: one read and one write of what the line takes at once.
"""

from micropython import const

from remnant_protocol import codec, frame
from remnant_protocol.errors import RigError
from remnant_protocol.messages import COMMAND, HELLO

from .clock import ticks_diff

CREDIT_BYTES = const(255)
_LOST_AFTER_US = const(200_000)
_SAME_MAX = const(4)
_NOISE_MAX = const(4096)
_ANSWERS_MAX = const(8)
_COUNT_MASK = const(0xFFFF)


class Link:
    """`on_message(fields)` gets each decoded body. greeted: a host has said HELLO since boot."""

    def __init__(self, line, ticks_us, journal, history, on_message):
        self._readinto = line.readinto
        self._write = line.write
        self._ticks_us = ticks_us
        self._journal = journal
        self._history = history
        self._on_message = on_message
        self._in = bytearray(256)
        self._in_view = memoryview(self._in)
        self._parser = frame.Parser(self._on_body)
        self._out = bytearray(264)
        self._out_view = memoryview(self._out)
        self._out_at = self._out_end = 0
        self._answers = []
        self._sent = 0
        self._counted = 0
        self._counted_at = 0
        self._given_up = 0
        self._same = self._beyond = self._noise = 0
        self._beyond_at = 0
        self.greeted = False
        self.bad_bodies = 0

    def poll(self):
        """Read and dispatch one buffer of what has arrived; True if anything had. A host that floods the line cannot hold the loop."""
        n = self._readinto(self._in)
        if not n:
            return False
        self._parser.feed(self._in_view[:n])
        return True

    def answer(self, *fields):
        """Queue an answer; it goes out before records."""
        if len(self._answers) < _ANSWERS_MAX:
            self._answers.append(codec.encode(list(fields)))

    def greet(self):
        """A host has come: whatever was half sent is void, the count starts at zero, unacknowledged records go again."""
        self.greeted = True
        self._answers.clear()
        self._out_at = self._out_end = 0
        self._sent = self._counted = self._given_up = self._same = self._beyond = self._noise = 0
        self._counted_at = self._ticks_us()
        self._journal.rewind(0)
        self._history.greet()

    def credit(self, received_bytes):
        """The host's count of bytes taken since WELCOME, modulo 65536.

        The same count _SAME_MAX times in a row, over 200 ms at least, while bytes are out: those bytes are given up. If they come after
        all, the count runs ahead of what was given up and is put right again. A count that stays beyond what was sent is of a host that has
        counted noise on the line: it is put right in the same time.
        """
        now = self._ticks_us()
        counted = (received_bytes + self._given_up - self._noise) & _COUNT_MASK
        ahead = (counted - self._sent) & _COUNT_MASK
        if 0 < ahead <= self._given_up:
            self._given_up -= ahead
            counted = self._sent
        elif 0 < ahead <= _NOISE_MAX:
            self._beyond += 1
            if self._beyond == 1:
                self._beyond_at = now
            if self._beyond >= _SAME_MAX and ticks_diff(now, self._beyond_at) > _LOST_AFTER_US:
                self._noise = (self._noise + ahead) & _COUNT_MASK
                counted = self._sent
                self._beyond = 0
        else:
            self._beyond = 0
        out = (self._sent - self._counted) & _COUNT_MASK
        if counted != self._counted:
            if ((counted - self._counted) & _COUNT_MASK) <= out:
                self._counted = counted
                self._counted_at = now
                self._same = 0
        elif out:
            self._same += 1
            if self._same >= _SAME_MAX and ticks_diff(now, self._counted_at) > _LOST_AFTER_US:
                self._given_up = (self._given_up + out) & _COUNT_MASK
                self._counted = self._sent
                self._counted_at = now
                self._same = 0

    def backlog(self):
        """True while a greeted host has much to fetch: half the ring is full, and not only of what the next ticks will forget."""
        journal = self._journal
        return self.greeted and journal.used * 2 > journal.size and journal.oldest_seq < journal.next_seq

    def pump(self):
        """Send of one frame what credit and line allow; True if it went out whole, so that another may follow at once."""
        if not self.greeted:
            return False
        if self._out_at == self._out_end and not self._next_frame():
            return False
        room = CREDIT_BYTES - ((self._sent - self._counted) & _COUNT_MASK)
        length = self._out_end - self._out_at
        if length > room:
            length = room
        if length <= 0:
            return False
        n = self._write(self._out_view[self._out_at : self._out_at + length])
        self._out_at += n
        self._sent = (self._sent + n) & _COUNT_MASK
        return self._out_at == self._out_end

    def _next_frame(self):
        if self._answers:
            body = self._answers.pop(0)
            self._out_end = frame.encode_into(body, len(body), self._out)
        else:
            body = self._journal.peek()
            if body is not None:
                self._out_end = frame.encode_into(body, len(body), self._out)
                self._journal.sent()
            else:
                page = self._history.next(self._ticks_us())
                if page is None:
                    return False
                body = codec.encode(list(page))
                self._out_end = frame.encode_into(body, len(body), self._out)
        self._out_at = 0
        return True

    def _on_body(self, body):
        try:
            fields = codec.decode(body, 0, len(body))
        except RigError:
            self.bad_bodies += 1
            return
        if isinstance(fields, list) and fields and isinstance(fields[0], int):
            if fields[0] in (HELLO, COMMAND) or all([isinstance(field, int) for field in fields]):
                self._on_message(fields)
                return
        self.bad_bodies += 1
