"""The application on tests/firmware/fake_hal.py and what a fuzzer needs besides: flash, two motors, a block, a lamp.

Portable. `tick` lets time pass and looks at what must hold at every instant; `told` at every byte that goes to the host.
"""

from array import array
from math import exp

from board import LIMITS
from fake_hal import FakeFlash, FakeHal, FakeOptics

from hal.sim_pump import SimPump
from remnant_protocol import codec, frame
from remnant_protocol import messages as m
from remnant_protocol.errors import TASK_FAILED
from remnant_protocol.packing import unpack
from remnant_protocol.schema import EVENTS, MESSAGES
from rig.app import App

RUN_ID = b"0123456789abcdef"
_FULL_MC_PER_S = 400  # heating rate of the block at full duty
_LOSS_S = 300  # time constant of its cooling
_AMBIENT_MC = 25000
_BITS = {"u8": 8, "u16": 16, "u32": 32}
_STACK_MAX = 9


class Flash(FakeFlash):
    """The fake flash without a loop over bytes."""

    def program(self, page, offset, data):
        start, data = page * 256 + offset, bytes(data)
        end = start + len(data)
        old = int.from_bytes(self.memory[start:end], "big")
        self.memory[start:end] = (old & int.from_bytes(data, "big")).to_bytes(len(data), "big")
        return self.memory[start:end] == data

    def erase(self, sector):
        self.memory[sector * 4096 : sector * 4096 + 4096] = b"\xff" * 4096


class Optics(FakeOptics):
    def __init__(self):
        super().__init__()
        self.lit_counts = [30600, 15600, 600, 600]

    def lit(self, cell):
        return array("H", [max(0, self.lit_counts[cell] - 7 * i) for i in range(self.pulses)])


class Hal(FakeHal):
    """A fake hal with the limits of boards/virtual; flash: a Flash; None: nothing but `store` outlives a restart."""

    def __init__(self, flash=None, store=None, retained=None):
        super().__init__()
        self.limits = LIMITS
        self.optics = Optics()
        self.pumps = [SimPump(self, i) for i in range(LIMITS["pumps"])]
        self.flash = flash
        if flash is not None:
            self.retained = retained or memoryview(bytearray(4096))
        if store is not None:
            self.store = store

    def move_syringe(self, pump, steps):
        pass


class Rig:
    """`app` and the world around it; temp_mc: of the block, which follows the duty. What is told to the host is checked and dropped."""

    def __init__(self, hal, spoilt=False):
        """spoilt: RAM that survived a reset has been changed, so the records in it may say anything."""
        self.hal = hal
        self.spoilt = spoilt
        self.app = App(hal)
        self.temp_mc = _AMBIENT_MC
        self.records = 0
        self.pages = []  # numbers of the HISTORY pages that have come
        self.received = 0
        self._parser = frame.Parser(self._told)

    def tick(self, us=100_000):
        """One turn with its control tick, then `us` pass."""
        hal = self.hal
        hal.adc.sensor = counts_of(self.temp_mc)
        hal.adc.monitor = 200 + hal.lamp.duty_u16 * 48000 // 65535
        self.app.turn()
        self.sound()
        hal.clock.pass_us(us)
        for channel in hal.pumps:
            channel.advance(us)
        duty = hal.heater.duty_u16
        gained = duty * _FULL_MC_PER_S // 65535 * us - (self.temp_mc - _AMBIENT_MC) * us // _LOSS_S
        self.temp_mc += gained // 1_000_000

    def sound(self):
        """What holds at every instant, whatever was asked for."""
        app = self.app
        for error in self.hal.told:
            raise error
        assert app.safety.code != TASK_FAILED, "a part of the firmware failed"
        assert app.journal.used <= app.journal.size
        assert len(app.executor._stack) <= _STACK_MAX
        assert len(app.link._answers) <= 8 and len(app.commands._watched) <= 8 and len(app.commands._replies) <= 16
        if app.state == m.FAULTED:
            assert not self.hal.heater.duty_u16 and not self.hal.lamp.duty_u16, "driven in a fault"
        if app.state != m.RUNNING:
            assert not any(self.hal.outputs.triggers.values()), "a trigger without a run"
            assert app.executor.prompt < 0 or app.state == m.PAUSED, "a question without a run"

    def talk(self):
        """Take what the board wants to tell, granting credit, until nothing more comes."""
        app, line = self.app, self.hal.line
        for _ in range(2000):
            while app.link.pump():
                pass
            out = bytes(line.outbound)
            line.outbound = bytearray()
            if not out:
                return
            self._parser.feed(out)
            self.received = (self.received + len(out)) & 0xFFFF
            app.link.credit(self.received)
        raise AssertionError("the board never stops talking")

    def _told(self, body):
        fields = codec.decode(body)
        if fields[0] == m.WELCOME:
            self.received = 0
        elif fields[0] == m.HISTORY:
            self.pages.append(fields[1])
            if not self.spoilt:
                for record in unpack(fields[5]):
                    fits(codec.decode(record))
        if fields[0] >= m.TELEMETRY:
            fits(fields)
            self.records += 1


def counts_of(temp_mc):
    """ADC counts of a 10 kohm NTC (beta 3950 K) below 4.7 kohm."""
    r_ohm = 10000 * exp(3950 * (1 / (max(temp_mc, -40000) / 1000 + 273.15) - 1 / 298.15))
    return int(65536 * r_ohm / (r_ohm + 4700))


def fits(fields):
    """Raise AssertionError unless a record is what the tables of the schema say."""
    name, row = MESSAGES[fields[0]]
    _fit(name, row, fields[1:])
    if fields[0] == m.EVENT:
        name, row = EVENTS[fields[4]]
        _fit(name, row, fields[5:])


def _fit(name, row, values):
    for i, field in enumerate(row):
        kind = field.split(":")[1]
        if kind == "*":
            return
        value = values[i]
        if kind in _BITS:
            good = isinstance(value, int) and 0 <= value < 1 << _BITS[kind]
        elif kind == "i32":
            good = isinstance(value, int) and -(1 << 31) <= value < 1 << 31
        else:
            good = isinstance(value, bytes)
        assert good, f"{name} {field} is {value}"
    assert len(values) == len(row), name
