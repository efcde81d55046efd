"""The whole application on the fake bench: ticks on demand, commands and records as the host would see them."""

from math import exp

from fake_hal import FakeHal

from remnant_protocol import codec, frame
from remnant_protocol import messages as m
from rig.app import App


class Bench:
    def __init__(self, hal=None):
        self.hal = hal or FakeHal()
        self.app = App(self.hal)
        self.bodies = []
        self.received = 0
        self._parser = frame.Parser(self._on_body)
        self._records = []
        self._answers = []
        self._taken = 0
        self.to_celsius(25.0)

    def _on_body(self, body):
        fields = codec.decode(body, 0, len(body))
        if fields[0] == m.HISTORY:
            self.app.history.kept(fields[1])
            return
        (self._records if fields[0] >= m.TELEMETRY else self._answers).append(fields)

    def to_celsius(self, celsius, jump=True):
        """Set the sensor; with `jump` the application forgets its past readings, so that no slope shows."""
        r_ohm = 10000 * exp(3950 * (1 / (celsius + 273.15) - 1 / 298.15))
        self.hal.adc.sensor = int(65536 * r_ohm / (r_ohm + 4700))
        if jump:
            self.app.thermometry._filled = 0

    def ticks(self, count, us=100_000):
        """Let `count` control ticks pass."""
        for _ in range(count):
            self.app.turn()
            self.hal.clock.pass_us(us)

    def ready(self):
        """Greet and wait until the rig is ready."""
        self.send(m.HELLO, m.PROTOCOL_MAJOR, m.PROTOCOL_MINOR, "test")
        self.ticks(14)
        assert self.app.state == m.READY

    def send(self, *fields):
        """Put one frame on the line."""
        self.hal.line.inbound += frame.encode(codec.encode(list(fields)))

    def talk(self):
        """Let the application read and write without time passing, granting credit, until nothing more comes."""
        while True:
            self.app.link.poll()
            while self.app.link.pump():
                pass
            out = bytes(self.hal.line.outbound)
            self.hal.line.outbound = bytearray()
            if not out:
                return
            self.received = (self.received + len(out)) & 0xFFFF
            self._parser.feed(out)
            if any([fields[0] == m.WELCOME for fields in self._answers[self._taken :]]):
                self._taken = len(self._answers)
                self.received = len(out)
            self.send(m.ACK, self.received, 0, 0)

    def command(self, number, op, *arguments):
        """Send a command, return its REPLY."""
        if not self.app.link.greeted:
            self.send(m.HELLO, m.PROTOCOL_MAJOR, m.PROTOCOL_MINOR, "test")
        self.send(m.COMMAND, number, op, *arguments)
        self.talk()
        return self.answer(m.REPLY)

    def answer(self, kind):
        """The newest answer of a kind."""
        self.talk()
        return [fields for fields in self._answers if fields[0] == kind][-1]

    def records(self):
        """Records that have come since the last call."""
        self.talk()
        records, self._records = self._records, []
        return records

    def load(self, program):
        """Upload a program tree; returns the REPLY of the commit."""
        from binascii import crc32

        from remnant_protocol.program import encode

        data = encode(program)
        self.command(900, m.PROGRAM_BEGIN, len(data), crc32(data) & 0xFFFFFFFF)
        for offset in range(0, len(data), 150):
            self.command(901 + offset, m.PROGRAM_DATA, offset, data[offset : offset + 150])
        return self.command(899, m.PROGRAM_COMMIT)
