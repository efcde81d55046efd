"""A host in lockstep with the bench: it counts, acknowledges and decodes between slices, so a test with it is exact to the cycle.

For what a real host does over a real port see tests/hil; this one is for tests that want to know when something happened.
"""

import re

from remnant_protocol import codec, frame, packing
from remnant_protocol import messages as m
from remnant_protocol.errors import OK, RigError

WELCOME_BOOT_ID = 7
ANSWER_MS = 3000
RECEIVED_MASK = 0xFFFF
PIECES = re.compile(rb"[^\0]*\0|[^\0]+")


class Host:
    """records: every journal record in order of arrival; welcome: fields of the last WELCOME. reading: False stops counting and taking."""

    def __init__(self, rig):
        self.rig = rig
        self.records = []
        self.answers = []
        self.welcome = None
        self.reading = True
        self._received = 0
        self._committed = 0
        self._known = set()
        self.pages = 0  # of history, taken so far
        self._id = 0
        self._new = False
        self._parser = frame.Parser(self._on_body)
        rig.takes_usb = True
        rig.listeners.append(self._take)

    def send(self, *fields):
        self.rig.usb_send(frame.encode(codec.encode(list(fields))))

    def hello(self, seconds=10):
        """Say HELLO until the board answers; returns WELCOME."""
        self.welcome = None
        for _ in range(int(seconds * 10)):
            self._received = 0
            self.send(m.HELLO, m.PROTOCOL_MAJOR, m.PROTOCOL_MINOR, "bench")
            self.rig.run_ms(100)
            if self.welcome:
                return self.welcome
        raise AssertionError("the board does not answer HELLO")

    def command(self, op, *arguments):
        """Return the accepted values. Raises RigError."""
        self._id += 1
        self.send(m.COMMAND, self._id, op, *arguments)
        reply = self.answer(m.REPLY)
        assert reply[1] == self._id, reply
        if reply[2] != OK:
            raise RigError(reply[2], value=reply[3] if len(reply) > 3 else None)
        return reply[3:]

    def answer(self, kind, within_ms=ANSWER_MS):
        """The next answer of a kind."""
        for _ in range(within_ms // 5):
            for i, fields in enumerate(self.answers):
                if fields[0] == kind:
                    return self.answers.pop(i)
            self.rig.run_ms(5)
        raise AssertionError(f"no answer {kind} within {within_ms} ms")

    def until(self, wanted, seconds):
        """Run until a record satisfies `wanted(fields)`; returns it. Looks at records from now on."""
        at = len(self.records)
        end = self.rig.cycle + seconds * 125_000_000
        while self.rig.cycle < end:
            while at < len(self.records):
                at += 1
                if wanted(self.records[at - 1]):
                    return self.records[at - 1]
            self.rig.run_ms(5)
        raise AssertionError(f"nothing of the kind within {seconds} s; the last records: {self.records[-3:]}")

    def ready(self, seconds=10):
        """HELLO, then until the rig may be driven."""
        self.hello(seconds)
        while True:
            self.send(m.PING, 1)
            self.answer(m.PONG)
            self._id += 1
            self.send(m.COMMAND, self._id, m.STATUS)
            if self.answer(m.REPLY)[3] == m.READY:
                return self
            self.rig.run_ms(100)

    def settle(self, seconds):
        self.rig.run_ms(seconds * 1000)

    def _take(self, slice_):
        if not self.reading or not slice_.usb:
            return
        for piece in PIECES.findall(slice_.usb):  # WELCOME sets the count to its own length: what is behind it is counted after it
            self._received = (self._received + len(piece)) & RECEIVED_MASK
            self._parser.feed(piece)
        if self.welcome:
            self.send(m.ACK, self._received, self.welcome[WELCOME_BOOT_ID], self._committed)

    def _on_body(self, body):
        fields = codec.decode(bytes(body), 0, len(body))
        if fields[0] == m.WELCOME:
            self.welcome = fields
            self._received = len(frame.encode(body))
        elif self.welcome is None and (fields[0] >= m.TELEMETRY or fields[0] == m.HISTORY):
            return  # from before the HELLO that is on its way: it comes again
        elif fields[0] == m.HISTORY:
            for record in packing.unpack(fields[5]):
                self._keep(fields[2], codec.decode(record, 0, len(record)))
            self.pages += 1
            self.send(m.PAGE_KEPT, fields[1])
        elif fields[0] < m.TELEMETRY:
            self.answers.append(fields)
        else:
            self._committed = max(self._committed, fields[1])
            self._keep(self.welcome[WELCOME_BOOT_ID], fields)

    def _keep(self, boot_id, fields):
        if (boot_id, fields[1]) not in self._known:
            self._known.add((boot_id, fields[1]))
            self.records.append(fields)
