"""A bench for unit tests: hal/contract.py with every quantity set by hand and a clock that the test drives."""

from array import array

_MASK = (1 << 30) - 1


class FakeClock:
    def __init__(self):
        self.ticks = (1 << 30) - 250_000  # so that every test crosses the wrap

    stride_ms = 0

    def ticks_us(self):
        return self.ticks

    def wait(self, until_ticks, hold):
        self.ticks = until_ticks

    def pass_us(self, us):
        self.ticks = (self.ticks + us) & _MASK


class FakeLine:
    """inbound: bytes the board will read; outbound: what it wrote; takes: how many bytes one write accepts."""

    def __init__(self):
        self.inbound = bytearray()
        self.outbound = bytearray()
        self.takes = 1000
        self.silent_ms = 0
        self.clock = None  # set by the bench

    def heard_ms_ago(self):
        return self.silent_ms

    def ticks_us(self):
        return self.clock.ticks_us() if self.clock else 0

    def readinto(self, buffer):
        n = min(len(buffer), len(self.inbound))
        buffer[:n] = self.inbound[:n]
        self.inbound = self.inbound[n:]
        return n

    def write(self, view):
        n = min(self.takes, len(view))
        self.outbound += bytes(view[:n])
        return n


class FakeAdc:
    """sensor, sensor2, monitor: 16-bit counts; each sensor reading differs by one from the last while `alive`.

    sensor2 None: like sensor."""

    sensors = 2

    def __init__(self):
        self.sensor = 30000
        self.sensor2 = None
        self.monitor = 200
        self.alive = True
        self._toggle = 0

    def read_sum(self, channel, samples):
        if channel == 1:
            return self.monitor * samples
        if self.alive:
            self._toggle ^= 1
        if channel == 3 and self.sensor2 is not None:
            return self.sensor2 * samples + self._toggle
        return self.sensor * samples + self._toggle


class FakeOutput:
    def __init__(self):
        self.duty_u16 = 0
        self.renewals = 0

    def renew(self, duty_u16):
        self.duty_u16 = duty_u16
        self.renewals += 1

    def off(self):
        self.duty_u16 = 0

    def lapsed(self):
        return False


class FakeOptics:
    PULSE_US = 2000
    PERIOD_US = 4000

    def __init__(self):
        self.done = True
        self.stopped = False
        self.pulses = 0
        self.dark_counts = 600
        self.lit_counts = [30600, 15600, 600, 600]
        self.monitor_counts = 10200

    def start(self, pulses, cells_mask):
        self.pulses = pulses

    def ready(self):
        return self.done

    def stop(self):
        self.stopped = True

    def dark(self, cell):
        return array("H", [self.dark_counts] * self.pulses)

    def lit(self, cell):
        return array("H", [self.lit_counts[cell]] * self.pulses)

    def monitor(self):
        return array("H", [self.monitor_counts] * self.pulses)


class FakeInputs:
    def __init__(self):
        self.interlock = True
        self.stop = False
        self.trigger = False
        self.stalled = False

    def interlock_closed(self):
        return self.interlock

    def stop_pressed(self):
        return self.stop

    def trigger_in(self, channel):
        return self.trigger

    def pump_stalled(self, pump):
        return self.stalled


class FakeOutputs:
    def __init__(self):
        self.triggers = {}
        self.shown = None

    def trigger(self, channel, on):
        self.triggers[channel] = on

    def indicator(self, state):
        self.shown = state

    def off(self):
        self.triggers = dict.fromkeys(self.triggers, False)


class FakeStore:
    def __init__(self):
        self.kept = {}

    def load(self, name):
        return self.kept.get(name)

    def save(self, name, data):
        self.kept[name] = bytes(data)


class FakeFlash:
    """Pages in memory. cut_after: bytes that the next programming still writes before the power goes (raises Cut); erases: by sector."""

    erase_ms_max = 45

    def __init__(self, sectors=4):
        self.sectors = sectors
        self.memory = bytearray(b"\xff" * (sectors * 4096))
        self.erases = [0] * sectors
        self.cut_after = None
        self.worn = set()  # pages that take nothing any more

    def read(self, page):
        return memoryview(self.memory)[page * 256 : page * 256 + 256]

    def program(self, page, offset, data):
        if page in self.worn:
            return False
        start = page * 256 + offset
        for i in range(len(data)):
            if self.cut_after is not None:
                if not self.cut_after:
                    raise Cut
                self.cut_after -= 1
            self.memory[start + i] &= data[i]
        return bytes(self.memory[start : start + len(data)]) == bytes(data)

    def erase(self, sector):
        self.erases[sector] += 1
        for i in range(sector * 4096, sector * 4096 + 4096):
            if self.cut_after is not None:
                if not self.cut_after:
                    raise Cut
                self.cut_after -= 1
            self.memory[i] = 0xFF


class Cut(Exception):
    """The power has gone."""


class FakeChannel:
    """A step channel that emits nothing by itself."""

    interval_min_cycles = 519

    def __init__(self):
        self.count = 0
        self.queue = []

    def push(self, steps, interval_cycles, direction):
        self.queue.append((steps, interval_cycles, direction))
        return True

    def hold(self):
        pass

    def free(self):
        return 32

    def emitted(self):
        return self.count

    def abort(self):
        self.queue = []
        return self.count

    def recall(self, most):
        taken, self.queue = len(self.queue), []
        return taken

    def running(self):
        return bool(self.queue)


class FakeWatchdog:
    def __init__(self):
        self.fed = 0

    def feed(self):
        self.fed += 1


class FakeIdentity:
    board = "fake"
    uid = "fake-1"
    boot_id = 7
    reset_cause = 0
    firmware_hash = 0
    simulated = True


LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,
    "temp_cutoff_mc": 130000,
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,
    "pumps": 1,
    "flow_max_nl_per_min": 100000000,
    "cells": 2,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 4096,
    "wait_max_ms": 4294967295,
}


class FakeHal:
    lamp_nm = 365

    def __init__(self):
        self.clock = FakeClock()
        self.line = FakeLine()
        self.line.clock = self.clock
        self.adc = FakeAdc()
        self.heater = FakeOutput()
        self.lamp = FakeOutput()
        self.master = FakeOutput()
        self.flash = None
        self.retained = None
        self.optics = FakeOptics()
        self.pumps = [FakeChannel()]
        self.inputs = FakeInputs()
        self.outputs = FakeOutputs()
        self.store = FakeStore()
        self.watchdog = FakeWatchdog()
        self.identity = FakeIdentity()
        self.limits = LIMITS
        self.told = []

    def start_together(self, pumps_mask):
        pass

    def retain(self, start, end):
        pass

    def all_off(self):
        self.heater.off()
        self.lamp.off()

    def reset(self):
        raise SystemExit

    def tell_exception(self, error):
        self.told.append(error)


def raises(code, call, *arguments):
    """Assert that call(*arguments) raises RigError(code); return the error."""
    from remnant_protocol.errors import RigError

    try:
        call(*arguments)
    except RigError as error:
        assert error.code == code, "code %d, not %d" % (error.code, code)
        return error
    raise AssertionError("no RigError %d" % code)


class Settings(dict):
    """Settings at their defaults, changed by keyword."""

    def __init__(self, **changed):
        from rig.settings import TABLE

        super().__init__()
        for row in TABLE.values():
            self[row[0]] = row[1]
        self.update(changed)
