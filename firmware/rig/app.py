"""The application: parts put together, one control tick, one loop.

Every TICK_MS: read the sensor, judge, drive, integrate, let the program go on, tell. Between ticks: the line. The loop never waits for
the host and no part sleeps, so the longest hold is the longest single part; `Clock.wait` of the board is the only place where time is
spent.
"""

from micropython import const

from remnant_protocol import codec
from remnant_protocol import messages as m
from remnant_protocol.errors import OK, PUMP_BUSY, PUMP_UNKNOWN, WRONG_STATE, RigError

from .clock import Clock, ticks_diff
from .commands import Commands, task_failed
from .describe import description, welcome
from .executor import Executor
from .exposure import Exposure
from .heater import Heater
from .journal import Journal
from .lamp import Lamp
from .link import Link
from .probe import Probe
from .pump import make_pumps
from .safety import Safety
from .settings import Settings
from .store import ProgramStore
from .thermometry import Thermometry

TICK_US = const(100_000)
_READY_AFTER = const(12)  # good readings before anything may be switched on: the slope needs a second
_IDLE_TELEMETRY_MS = const(1000)
_HAND_SILENT_MS = const(5000)  # a host tells its count of bytes every 400 ms
_FORGET = const(24)  # records a tick: more than are written in one
_MASK = const((1 << 30) - 1)

GO_ON = const(0)
IDLE = const(1)
BACKLOG = const(2)
MORE = const(3)


class App:
    """The rig. Its parts are attributes; every part is handed what it needs of them."""

    def __init__(self, hal):
        self.hal = hal
        self.limits = hal.limits
        self.inputs = hal.inputs
        self.ticks_us = hal.clock.ticks_us
        self.tell_exception = hal.tell_exception
        self.state = m.STARTING
        self.clock = Clock(hal.clock)
        self.settings = Settings(hal.store)
        self.journal = Journal(self.clock)
        self.thermometry = Thermometry(hal.adc, 0, self.settings)
        self.heater = Heater(hal.heater, self.settings, self.limits)
        self.lamp = Lamp(hal.lamp, hal.adc, 1, self.settings, self.limits)
        self.exposure = Exposure()
        self.probe = Probe(hal.optics, self.lamp, self.exposure, self.journal, self.settings, self.limits)
        self.pumps = make_pumps(hal, self.settings, self.limits)
        self.safety = Safety(self)
        self.programs = ProgramStore(hal.store, self.limits, self._tick_if_due)
        self.executor = Executor(self)
        self.link = Link(hal.line, self.ticks_us, self.journal, self._on_message)
        self.commands = Commands(self, self.link.answer)
        self._record = codec.TelemetryRecord()
        self._good_readings = 0
        self._telemetry_ms = _IDLE_TELEMETRY_MS
        self._telemetry_due = 0
        self._late_us_max = 0
        self._trigger_ms = [0, 0]
        self._next_tick = self.ticks_us()
        self.journal.event(m.BOOTED, hal.identity.reset_cause)

    # ---- the loop

    def run(self):
        """Never returns; what a part raises becomes a fault. The caller (main.py) makes outputs safe if this ends all the same."""
        wait = self.hal.clock.wait
        while True:
            hold = MORE if self.turn() else BACKLOG if self.link.backlog() else IDLE if self._idle() else GO_ON
            wait(self._next_tick, hold)

    def turn(self):
        """What there is to do at this instant: the line, and the control tick when it is due. True: there is more to send at once.

        A turn reads a buffer and sends a frame at most, so a tick is never later than the longest of them."""
        try:
            self._tick_if_due()
            if self.link.poll():
                self._start_pumps()
                self._tick_if_due()
            return self.link.pump()
        except Exception as error:  # whatever it is: outputs off first
            self._fault(*task_failed(self, error))
            return False

    def _tick_if_due(self):
        late_us = ticks_diff(self.ticks_us(), self._next_tick)
        if late_us >= 0:
            if late_us > self._late_us_max:
                self._late_us_max = late_us
            self._next_tick = (self._next_tick + TICK_US * (1 + late_us // TICK_US)) & _MASK
            self.tick()

    def tick(self):
        """One control tick."""
        dt_us = self.clock.update()
        self.journal.forget(_FORGET)
        thermometry = self.thermometry
        thermometry.sample()
        code = self.safety.check()
        state = self.state
        if code != OK:
            if state == m.STARTING:
                self._good_readings = 0
            elif state != m.FAULTED:
                value, limit = self.safety.seen(code)
                self._fault(code, value, limit)
        elif state == m.STARTING:
            self._good_readings += 1
            if self._good_readings >= _READY_AFTER:
                self._enter(m.READY)
        self.heater.tick(thermometry.temp_mc, dt_us // 1000)
        lamp = self.lamp
        lamp.tick()
        if lamp.measured_uw_per_cm2:
            self.exposure.add(lamp.measured_uw_per_cm2, dt_us)
        if self.probe.active:
            self.probe.tick(thermometry.temp_mc)
        for pump in self.pumps:
            if pump.busy:
                pump.top_up(self.ticks_us())
        if self.commands.watching():
            self.commands.tick()
        if self.state == m.RUNNING:
            if self.executor.tick():
                self._finish(m.BY_COMPLETION, OK)
        elif self.state == m.READY and self.hal.line.heard_ms_ago() > _HAND_SILENT_MS and self._driven():
            self._outputs_off(m.BY_HOST_LOST)  # a program may go on alone; what a hand switched on may not outlive the hand
        self._start_pumps()
        if self._trigger_ms[0] or self._trigger_ms[1]:
            self._triggers(dt_us // 1000)
        self._telemetry_due -= dt_us // 1000
        if self._telemetry_due <= 0:
            self._telemetry_due += self._telemetry_ms
            self._tell()
        self.hal.watchdog.feed()

    # ---- what a program and a person may ask for

    def drive(self, op, arguments):
        """Drive one output; returns the accepted values. Raises RigError."""
        if op == m.HEATER:
            self.heater.set(arguments[0], arguments[1], self.thermometry.temp_mc)
            return arguments
        if op == m.LAMP:
            self.lamp.set(arguments[0])
            return arguments
        if op == m.PROBE:
            self.probe.start(arguments[0], arguments[1], arguments[2])
            return arguments
        pump = self._pump(arguments[0])
        if op == m.FLOW:
            return (arguments[0], pump.set_flow(arguments[1]))
        return (arguments[0], pump.dispense(arguments[1], arguments[2]), arguments[2], arguments[3])

    def pulse_trigger(self, channel, duration_ms):
        """Switch a trigger output on for a while."""
        self.hal.outputs.trigger(channel, True)
        self._trigger_ms[channel] = duration_ms

    def start(self, run_id):
        """Run the kept program. Raises RigError(WRONG_STATE | PROGRAM_*)."""
        if self.state != m.READY:
            raise RigError(WRONG_STATE, value=self.state)
        program = self.programs.load()
        if self.state != m.READY:  # ticks went on meanwhile
            raise RigError(WRONG_STATE, value=self.state)
        self.exposure.start()
        self.probe.forget()
        self.journal.event(m.RUN_STARTED, run_id)
        self._telemetry_ms = program[1]
        self._telemetry_due = 0
        self.executor.begin(program)
        self._enter(m.RUNNING)

    def stop(self, by):
        """Outputs off; a run that is going on ends."""
        if self.state in (m.RUNNING, m.PAUSED):
            self._finish(by, OK)
        else:
            self._outputs_off(by)

    def pause(self):
        """Light off, temperature held; the program's clock stands still. Raises RigError(WRONG_STATE | PUMP_BUSY): a pump in motion is
        not interrupted, because half a dose cannot be taken up again."""
        if self.state != m.RUNNING or self.probe.active:
            raise RigError(WRONG_STATE, value=self.state)
        for i, pump in enumerate(self.pumps):
            if pump.busy:
                raise RigError(PUMP_BUSY, value=i)
        self._enter(m.PAUSED)
        self.executor.pause()
        self.lamp.suspend()

    def resume(self):
        if self.state != m.PAUSED:
            raise RigError(WRONG_STATE, value=self.state)
        self.executor.resume()
        self.lamp.resume()
        self._enter(m.RUNNING)

    def clear(self):
        """Leave FAULTED once the cause is gone. Raises RigError(WRONG_STATE | CAUSE_REMAINS)."""
        if self.state != m.FAULTED:
            raise RigError(WRONG_STATE, value=self.state)
        self.journal.event(m.CLEARED, self.safety.clear())
        self._enter(m.READY)

    def reload(self):
        """Settings have changed: every part takes them over."""
        for part in [self.thermometry, self.heater, self.lamp, self.safety] + self.pumps:
            part.reload()

    # ---- inside

    def _pump(self, index):
        if not isinstance(index, int) or not 0 <= index < len(self.pumps):
            raise RigError(PUMP_UNKNOWN, value=index, limit=len(self.pumps))
        return self.pumps[index]

    def _start_pumps(self):
        """Pumps that were told to begin in this turn begin in the same instant."""
        mask, bit = 0, 1
        for pump in self.pumps:
            if pump.starting:
                pump.starting = False
                mask |= bit
            bit <<= 1
        if mask:
            self.hal.start_together(mask)

    def _fault(self, code, value=0, limit=0):
        running = self.state in (m.RUNNING, m.PAUSED)
        if self.safety.trip(code, value, limit):
            self.commands.outputs_went_off(code)
            if running:
                self.executor.end()
                self.journal.event(m.RUN_ENDED, m.BY_FAULT, code)
            self._enter(m.FAULTED)

    def _finish(self, by, code):
        self.executor.end()
        self._outputs_off(by)
        self.journal.event(m.RUN_ENDED, by, code)
        self._telemetry_ms = _IDLE_TELEMETRY_MS
        self._enter(m.READY)

    def _outputs_off(self, by):
        began = self.ticks_us()
        was = self.safety.outputs_off()
        self.journal.event(m.OUTPUTS_OFF, by, was[0], was[1], was[2], ticks_diff(self.ticks_us(), began))
        if by != m.BY_COMPLETION:
            self.commands.outputs_went_off(WRONG_STATE)

    def _enter(self, state):
        if state != self.state:
            self.journal.event(m.STATE_CHANGED, self.state, state)
            self.state = state
            self.hal.outputs.indicator(state)

    def _driven(self):
        """True while any output is on or moving."""
        return (
            self.heater.target_mc > 0 or self.lamp.requested_uw_per_cm2 > 0 or self.probe.active or any([pump.busy for pump in self.pumps])
        )

    def _idle(self):
        return (self.state == m.READY or self.state == m.FAULTED) and not self.commands.watching() and not self._driven()

    def _triggers(self, passed_ms):
        for channel, left_ms in enumerate(self._trigger_ms):
            if left_ms:
                left_ms = max(0, left_ms - passed_ms)
                self._trigger_ms[channel] = left_ms
                if not left_ms:
                    self.hal.outputs.trigger(channel, False)

    def _tell(self):
        journal, clock, heater, lamp = self.journal, self.clock, self.heater, self.lamp
        journal.tell_gap()
        record = self._record
        length = record.pack(
            journal.next_seq,
            clock.s,
            clock.us,
            self.state,
            self.executor.step,
            heater.setpoint_mc,
            self.thermometry.temp_mc,
            heater.duty_u16,
            0 if lamp.suspended else lamp.duty_u16,
            lamp.measured_uw_per_cm2,
            self.exposure.mj_per_cm2,
            self._late_us_max,
        )
        journal.append(record.buffer, length)
        self._late_us_max = 0
        for i, pump in enumerate(self.pumps):
            if pump.busy:
                journal.write(m.PUMP_TELEMETRY, i, pump.steps, pump.flow_nl_per_min)

    def _on_message(self, fields):
        kind = fields[0]
        link = self.link
        if kind == m.ACK and len(fields) == 4:
            link.credit(fields[1])
            if fields[2] == self.hal.identity.boot_id:
                self.journal.acknowledge(fields[3])
        elif kind == m.COMMAND:
            self.commands.take(fields)
        elif kind == m.PING and len(fields) == 2:
            link.answer(m.PONG, fields[1], *self.clock.now())
        elif kind == m.HELLO:
            link.greet()
            link.answer(*welcome(self))
        elif kind == m.DESCRIBE and len(fields) == 2:
            link.answer(m.DESCRIPTION, fields[1], description(self, fields[1]))
        elif kind == m.RESEND and len(fields) == 3 and fields[1] == self.hal.identity.boot_id:
            self.journal.rewind(fields[2])
