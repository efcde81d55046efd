"""The virtual board: hal/contract.py on the plant, in a process whose stdin and stdout are the line.

Time is virtual: it moves in `Clock.wait` only, as fast as the processor goes (speed 0) or at a factor of the wall clock. With speed 0
the same program and the same seed give the same records, byte for byte: time stands still while the host has a backlog to fetch and
until the first activity; an idle rig afterwards follows the wall clock. A second descriptor carries faults to switch (JSON lines); when
it closes, the process ends.
"""

import json
import os
import select
import sys
import time
from array import array

from micropython import const

from plant.rig import Plant

from .contract import LEASE_MS, MONITOR, MORE, SENSOR, SENSOR2
from .sim_pump import SimPump

_MASK = const((1 << 30) - 1)
_HALF = const(1 << 29)
_CHUNK_US = const(100_000)
_LEASE_US = LEASE_MS * 1000
_FULL = const(65535)
_BACKLOG = const(2)
_WALL = const(4)
RETAINED_BYTES = const(4096)
FLASH_SECTORS = const(68)  # as on rpi_pico
_SAVE_US = const(10_000_000)
_BLANK_PAGE = b"\xff" * 256
_STRIDE_MS = const(300_000)
_POLL_EVERY = const(9)  # as fast as it goes: the line is looked at once in ten ticks, a second of virtual time, 0.1 ms of the host's

if hasattr(time, "ticks_us"):
    _wall_us = time.ticks_us
    _wall_diff = time.ticks_diff
else:  # CPython

    def _wall_us():
        return time.perf_counter_ns() // 1000

    def _wall_diff(later, earlier):
        return later - earlier


class _Clock:
    def __init__(self, bench, speed):
        self._bench = bench
        self._speed = speed
        self.stride_ms = 0 if speed else _STRIDE_MS
        self._now = 0
        self._held = False  # has been idle once
        self._awake = False  # and active after that
        self._wall_us = _wall_us()
        self._owed_us = 0
        self._unpolled = 0

    def ticks_us(self):
        return self._now

    def wait(self, until_ticks, hold):
        if hold == MORE:
            return
        bench = self._bench
        ahead_us = ((until_ticks - self._now + _HALF) & _MASK) - _HALF
        if not hold and self._speed == 0 and self._unpolled < _POLL_EVERY:
            self._unpolled += 1
        else:
            self._unpolled = 0
            if bench.line_has_bytes(0):
                return
        if not hold:
            self._awake = self._held
            if self._speed == 0:
                if ahead_us > 0:
                    self._move(ahead_us)
                return
        elif hold == _WALL:  # pages wait for a host: they go by the clock
            self._follow_wall(ahead_us, self._speed or 1)
            return
        elif self._speed == 0:
            self._held = True
            if hold == _BACKLOG or not self._awake:
                bench.line_has_bytes(-1)
                self._wall_us = _wall_us()
                return
        self._follow_wall(ahead_us, self._speed or 1)

    def _follow_wall(self, ahead_us, speed):
        """Wait on the wall clock; virtual time never runs ahead of it and never leaps to catch up."""
        due_us = ahead_us / speed - self._owed_us
        if due_us > 1000 and self._bench.line_has_bytes(int(due_us / 1000)):
            pass
        now = _wall_us()
        waited_us = _wall_diff(now, self._wall_us) + self._owed_us
        self._wall_us = now
        move_us = int(waited_us * speed)
        if move_us >= ahead_us:
            self._owed_us = min(waited_us - ahead_us / speed, 100_000)
            move_us = ahead_us
        else:
            self._owed_us = 0
        if move_us > 0:
            self._move(move_us)

    def _move(self, us):
        if us > _CHUNK_US and self._bench.dark():
            self._bench.pass_time(self._now, us)
            self._now = (self._now + us) & _MASK
            return
        while us > _CHUNK_US:
            self._bench.pass_time(self._now, _CHUNK_US)
            self._now = (self._now + _CHUNK_US) & _MASK
            us -= _CHUNK_US
        self._bench.pass_time(self._now, us)
        self._now = (self._now + us) & _MASK


class _Lease:
    """A leased output as the plant sees it: a duty until the lease ends."""

    def __init__(self, clock):
        self._clock = clock
        self.duty_u16 = 0
        self.until = 0
        self._lapsed = False

    def renew(self, duty_u16):
        self.duty_u16 = duty_u16
        self.until = (self._clock.ticks_us() + _LEASE_US) & _MASK

    def off(self):
        self.duty_u16 = 0

    def lapsed(self):
        was = self._lapsed
        self._lapsed = False
        return was

    def average_u16(self, now, us):
        """Duty over the next `us`, averaged; the lease may end inside."""
        left_us = ((self.until - now + _HALF) & _MASK) - _HALF
        if left_us >= us:
            return self.duty_u16
        if left_us <= 0:
            self._lapsed = self._lapsed or self.duty_u16 > 0
            self.duty_u16 = 0
            return 0
        return self.duty_u16 * left_us // us


class _Analog:
    sensors = 2

    def __init__(self, plant):
        self._sensor_sum = plant.sensor_sum
        self._monitor_sum = plant.monitor_sum
        self._supply_sum = plant.supply_sum
        self._sensor2_sum = plant.sensor2_sum

    def read_sum(self, channel, samples):
        if channel == SENSOR:
            return self._sensor_sum(samples)
        if channel == MONITOR:
            return self._monitor_sum(samples)
        if channel == SENSOR2:
            return self._sensor2_sum(samples)
        return self._supply_sum(samples)


class _Optics:
    PULSE_US = 2000
    PERIOD_US = 4000

    def __init__(self, plant, clock):
        self._plant = plant
        self._clock = clock
        self._done_at = 0
        self._dark = {}
        self._lit = {}
        self._monitor = None

    def start(self, pulses, cells_mask):
        plant = self._plant
        self._dark.clear()
        self._lit.clear()
        for cell in range(4):
            if not cells_mask & (1 << cell):
                continue
            dark, lit, monitor = array("H", [0] * pulses), array("H", [0] * pulses), array("H", [0] * pulses)
            for i in range(pulses):
                plant.probe_pulse(cell)
                dark[i], lit[i], monitor[i] = plant.dark, plant.lit, plant.monitor
            self._dark[cell], self._lit[cell], self._monitor = dark, lit, monitor
        self._done_at = (self._clock.ticks_us() + pulses * self.PERIOD_US) & _MASK

    def stop(self):
        self._done_at = self._clock.ticks_us()

    def ready(self):
        return ((self._clock.ticks_us() - self._done_at + _HALF) & _MASK) - _HALF >= 0

    def dark(self, cell):
        return self._dark[cell]

    def lit(self, cell):
        return self._lit[cell]

    def monitor(self):
        return self._monitor


class _Line:
    def __init__(self):
        self._heard_us = _wall_us()
        self.readable = True  # set by the poll, so that an idle line costs no system call
        self._in = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)  # CPython buffers; the line must not
        self._out = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)

    def readinto(self, buffer):
        if not self.readable:
            return 0
        try:
            n = self._in.readinto(buffer) or 0
        except OSError:  # EIO: nobody holds the other end just now
            n = 0
        self.readable = n > 0
        if n:
            self._heard_us = _wall_us()
        return n

    def ticks_us(self):
        return _wall_us() & _MASK

    def heard_ms_ago(self):
        return _wall_diff(_wall_us(), self._heard_us) // 1000

    def write(self, view):
        try:
            return self._out.write(view) or 0
        except OSError:
            return 0


class _Inputs:
    def __init__(self, plant, outputs):
        self._plant = plant
        self._outputs = outputs

    def interlock_closed(self):
        return self._plant.interlock_closed

    def stop_pressed(self):
        return self._plant.stop_pressed

    def trigger_in(self, channel):
        return self._outputs.on[channel] or self._plant.trigger_in[channel]

    def pump_stalled(self, pump):
        return self._plant.pump_stalled(pump)


class _Outputs:
    """on: which trigger outputs are active; each is wired to the input of its number."""

    def __init__(self):
        self.on = [False, False]

    def trigger(self, channel, on):
        self.on[channel] = on

    def indicator(self, state):
        pass

    def off(self):
        self.on[0] = self.on[1] = False


class _Store:
    """A store that lives as long as the process."""

    def __init__(self):
        self._kept = {}

    def load(self, name):
        return self._kept.get(name)

    def save(self, name, data):
        self._kept[name] = data


class _Files:
    """What outlives the process: a folder (`state` of the scenario) with the store, the flash and the RAM that survives a reset."""

    def __init__(self, folder):
        self._folder = folder

    def load(self, name):
        try:
            with open(self._folder + "/" + name, "rb") as file:
                return file.read()
        except OSError:
            return None

    def save(self, name, data):
        with open(self._folder + "/" + name + ".part", "wb") as file:
            file.write(data)
        os.rename(self._folder + "/" + name + ".part", self._folder + "/" + name)


class _Flash:
    """Flash that forgets nothing while the process lives, or, with a state folder, ever. Bits go from 1 to 0 until erased."""

    def __init__(self, sectors, folder):
        self.sectors = sectors
        self.erase_ms_max = 0
        self.erases = 0
        self._pages = {}
        self._file = None
        if folder is not None:
            path = folder + "/flash"
            try:
                self._file = open(path, "r+b")
            except OSError:
                with open(path, "wb") as file:
                    for _ in range(sectors * 16):
                        file.write(_BLANK_PAGE)
                self._file = open(path, "r+b")

    def read(self, page):
        if self._file is None:
            return self._pages.get(page, _BLANK_PAGE)
        self._file.seek(page * 256)
        return self._file.read(256)

    def program(self, page, offset, data):
        kept = bytearray(self.read(page))
        for i in range(len(data)):
            kept[offset + i] &= data[i]
        good = kept[offset : offset + len(data)] == data
        if self._file is None:
            self._pages[page] = kept
        else:
            self._file.seek(page * 256 + offset)
            self._file.write(kept[offset : offset + len(data)])
            self._file.flush()
        return good

    def erase(self, sector):
        self.erases += 1
        for page in range(sector * 16, sector * 16 + 16):
            self._pages.pop(page, None)
        if self._file is not None:
            self._file.seek(sector * 4096)
            for _ in range(16):
                self._file.write(_BLANK_PAGE)
            self._file.flush()


class _Retained:
    """RAM that a reset leaves alone: in a file as it is written, so that a process killed at any instant has it."""

    def __init__(self, folder):
        self.memory = bytearray(RETAINED_BYTES)
        self.survived = False
        self._file = None
        if folder is None:
            return
        path = folder + "/retained"
        try:
            with open(path, "rb") as file:
                kept = file.read()
            self.memory[: len(kept)] = kept
            self.survived = len(kept) == RETAINED_BYTES
        except OSError:
            pass
        if not self.survived:
            with open(path, "wb") as file:
                file.write(self.memory)
        self._file = open(path, "r+b")

    def retain(self, start, end):
        if self._file is not None:
            self._file.seek(start)
            self._file.write(memoryview(self.memory)[start:end])
            self._file.flush()


class _Watchdog:
    def feed(self):
        pass


class _Identity:
    def __init__(self, scenario, store, survived):
        self.board = "virtual"
        self.uid = scenario.get("uid", "virtual-0")
        self.boot_id = scenario.get("boot_id", 1)
        if scenario.get("state") is not None:
            boots = int(store.load("boots") or b"0")
            store.save("boots", str(boots + 1).encode())
            self.boot_id = (self.boot_id + boots * 7919) & 0x7FFFFFFF
        self.reset_cause = 1 if survived else 0
        self.firmware_hash = scenario.get("firmware_hash", 0)
        self.simulated = True


class SimHal:
    """The whole virtual board from a scenario (boards/virtual/README.md)."""

    def __init__(self, scenario, limits, lamp_nm):
        self.plant = plant = Plant(scenario)
        self.limits = limits
        self.lamp_nm = lamp_nm
        self.clock = clock = _Clock(self, scenario.get("speed", 0))
        self.heater = _Lease(clock)
        self.lamp = _Lease(clock)
        self.master = _Lease(clock)
        self.adc = _Analog(plant)
        self.optics = _Optics(plant, clock)
        self.pumps = [SimPump(plant, i) for i in range(limits["pumps"])]
        self.outputs = _Outputs()
        self.inputs = _Inputs(plant, self.outputs)
        folder = scenario.get("state")
        self.store = _Store() if folder is None else _Files(folder)
        self.flash = _Flash(scenario.get("flash_sectors", FLASH_SECTORS), folder)
        memory = _Retained(folder)
        self.retained = memoryview(memory.memory)
        self.retain = memory.retain
        self.watchdog = _Watchdog()
        self.identity = _Identity(scenario, self.store, memory.survived)
        self.line = _Line()
        self._lasting = scenario.get("lasting") and self.store
        self._unsaved_us = 0
        if self._lasting:
            kept = self.store.load("plant")
            if kept:
                plant.outlast(json.loads(kept), scenario.get("dark_s", 0))
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._control = None
        if scenario.get("control_fd") is not None:
            self._control = open(scenario["control_fd"], "rb", 0)
            self._poll.register(self._control, select.POLLIN)

    def start_together(self, pumps_mask):
        """Virtual pumps start with the tick: nothing to do."""

    def all_off(self):
        self.heater.off()
        self.lamp.off()
        self.master.off()
        for pump in self.pumps:
            pump.abort()
        self.outputs.off()

    def reset(self):
        raise SystemExit

    def tell_exception(self, error):
        if hasattr(sys, "print_exception"):
            sys.print_exception(error, sys.stderr)
        else:
            import traceback

            traceback.print_exception(error)

    def dark(self):
        """Nothing is on and nothing moves."""
        if self.heater.duty_u16 or self.lamp.duty_u16:
            return False
        for pump in self.pumps:
            if pump.running():
                return False
        return True

    def pass_time(self, now, us):
        """Let the plant live through the next `us` with what is authorised on the pins."""
        if self._lasting:
            self._unsaved_us += us
            if self._unsaved_us >= _SAVE_US:
                self._unsaved_us = 0
                self.store.save("plant", json.dumps(self.plant.lasting()).encode())
        for pump in self.pumps:
            if pump.running():
                pump.advance(us)
        self.plant.master_on = self.master.average_u16(now, us) > 0
        self.plant.advance(us, self.heater.average_u16(now, us), self.lamp.average_u16(now, us))

    def line_has_bytes(self, timeout_ms):
        """Poll the line and the control descriptor; obey the latter; True if the line has bytes. timeout -1: until it has."""
        while True:
            readable = False
            asked = False
            for stream, event in self._poll.poll(timeout_ms):
                if stream is self._control or stream == self._control_number():
                    self._obey()
                    asked = True
                elif event & select.POLLIN:
                    readable = True
            if readable:
                self.line.readable = True
            if readable or not asked:
                return readable
            if timeout_ms != -1:
                return False

    def _control_number(self):
        """CPython's poll names descriptors, MicroPython's names streams."""
        return self._control.fileno() if self._control and sys.implementation.name == "cpython" else None

    def _obey(self):
        line = self._control.readline()
        if not line:
            raise SystemExit
        wish = json.loads(line)
        self.plant.set_fault(wish["fault"], wish["value"])
