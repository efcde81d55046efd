"""The application: parts put together, one control tick, one loop.

Every TICK_MS: read the sensor, judge, drive, integrate, let the program go on, tell. Between ticks: the line. The loop never waits for
the host and no part sleeps, so the longest hold is the longest single part; `Clock.wait` of the board is the only place where time is
spent.
"""

from micropython import const

from remnant_protocol import codec
from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import CAUSE_REMAINS, OK, PUMP_BUSY, PUMP_STALLED, PUMP_UNKNOWN, WRONG_STATE, RigError

from .checkpoint import Checkpoints, references_wanted
from .clock import Clock, ticks_diff
from .commands import Commands, task_failed
from .describe import description, welcome
from .executor import Executor
from .exposure import Exposure
from .heater import OFF_MC, Heater
from .history import AWAY_MS, History, page_rings
from .journal import Journal, survivors
from .lamp import Lamp
from .link import Link
from .probe import Probe
from .pump import make_pumps
from .recovery import Recovery
from .safety import Safety
from .settings import Settings
from .spool import PageRing
from .store import ProgramStore
from .thermometry import Thermometry
from .trigger import Triggers

TICK_US = const(100_000)
_READY_AFTER = const(12)  # good readings before anything may be switched on: the slope needs a second
_IDLE_TELEMETRY_MS = const(1000)
_HAND_SILENT_MS = const(5000)  # a host tells its count of bytes every 400 ms
_STALLED_TICKS = const(2)
_AHEAD_DRIVEN = const(4)  # erased sectors kept in front of the spool's head
_AHEAD_IDLE = const(999)
_FULL = const(65535)
_FORGET = const(24)  # records a tick: more than are written in one
_MASK = const((1 << 30) - 1)

GO_ON = const(0)
IDLE = const(1)
BACKLOG = const(2)
MORE = const(3)
WALL = const(4)


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
        records, checkpoints = page_rings(hal.flash, PageRing)
        boot_id = hal.identity.boot_id
        self.history = History(records, boot_id, self.settings["heater_kp_u16_per_k"] // 1000, self.ticks_us)
        before = survivors(hal.retained) if records is not None and hal.retained is not None else None
        if before is not None:
            self.history.take_over(before[0], before[2])
        if records is None or hal.retained is None:
            self.journal = Journal(self.clock)
        else:
            self.journal = Journal(self.clock, memory=hal.retained, boot_id=boot_id, retain=hal.retain)
        self.history.journal = self.journal
        self.checkpoints = Checkpoints(checkpoints, boot_id)
        self.thermometry = Thermometry(hal.adc, 0, self.settings)
        self.thermometry2 = None  # made by `safety` where a second sensor is fitted: its table takes 2 kB
        self.heater = Heater(hal.heater, self.settings, self.limits)
        self.lamp = Lamp(hal.lamp, hal.adc, 1, self.settings, self.limits)
        self.exposure = Exposure()
        self.probe = Probe(hal.optics, self.lamp, self.exposure, self.journal, self.settings, self.limits)
        self.pumps = make_pumps(hal, self.settings, self.limits)
        self.triggers = Triggers(self)
        self.calibrating = False
        self.safety = Safety(self)
        self.programs = ProgramStore(hal.store, self.limits, self._tick_if_due)
        self.executor = Executor(self)
        self.recovery = Recovery(self)
        self.link = Link(hal.line, hal.line.ticks_us, self.journal, self.history, self._on_message)
        self.commands = Commands(self, self.link.answer)
        self._record = codec.TelemetryRecord()
        self._good_readings = 0
        self._telemetry_ms = _IDLE_TELEMETRY_MS
        self._telemetry_due = 0
        self._late_us_max = 0
        self._next_tick = self.ticks_us()
        self._slack = self._moving = False
        self._stalled_ticks = [0] * len(self.pumps)
        self._supplied = False
        self._rest = None
        if hal.clock.stride_ms:
            from .rest import Rest  # a chip's clock does not leap, and its memory is dear

            self._rest = Rest(self)
        self.run_id = None
        self.program_crc = 0
        self.references_wanted = []
        self._pump_policy = self._host_policy = None
        self.interrupted = None
        self._wake(before)

    # ---- the loop

    def run(self):
        """Never returns; what a part raises becomes a fault. The caller (main.py) makes outputs safe if this ends all the same."""
        wait = self.hal.clock.wait
        while True:
            hold = MORE if self.turn() else BACKLOG if self.link.backlog() else GO_ON
            if hold == GO_ON and self.executor.prompt >= 0 and self.link.greeted:
                hold = BACKLOG  # a person is asked, and a virtual clock does not run away from them
            elif hold == GO_ON and self._idle():
                hold = WALL if self.link.greeted and self.history.pages_waiting else IDLE
            wait(self._next_tick, hold)

    def turn(self):
        """What there is to do at this instant: the line, and the control tick when it is due. True: there is more to send at once.

        A turn reads a buffer and sends a frame at most, so a tick is never later than the longest of them."""
        try:
            self._tick_if_due()
            if self.link.poll():
                self._start_pumps()
                self._tick_if_due()
            more = self.link.pump()
            if self._slack and not more:
                self._slack = False
                self._tend()
            return more
        except Exception as error:  # whatever it is: outputs off first
            self.fault(*task_failed(self, error))
            return False

    def _tick_if_due(self):
        late_us = ticks_diff(self.ticks_us(), self._next_tick)
        if late_us >= 0:
            if late_us > self._late_us_max:
                self._late_us_max = late_us
            self._next_tick = (self._next_tick + TICK_US * (1 + late_us // TICK_US)) & _MASK
            self.tick()
            if self._rest and self.state == m.RUNNING:
                self._next_tick = (self._next_tick + TICK_US * (self._rest.ticks(self._telemetry_due) - 1)) & _MASK

    def tick(self):
        """One control tick."""
        dt_us = self.clock.update()
        dt_ms = self.clock.passed_ms
        self.journal.forget(_FORGET)
        thermometry = self.thermometry
        thermometry.sample()
        code = self.safety.check(dt_ms)
        state = self.state
        if code != OK:
            if state == m.STARTING:
                self._good_readings = 0
            elif state != m.FAULTED:
                value, limit = self.safety.seen(code)
                self.fault(code, value, limit)
        elif state == m.STARTING:
            self._good_readings += 1
            if self._good_readings >= _READY_AFTER:
                self.enter(m.READY)
        if self.calibrating:
            self._calibrate(dt_ms)
        else:
            self.heater.tick(thermometry.temp_mc, dt_ms)
        lamp = self.lamp
        lamp.tick()
        if lamp.measured_uw_per_cm2:
            self.exposure.add(lamp.measured_uw_per_cm2, dt_us)
        if self.probe.active:
            self.probe.tick(thermometry.temp_mc)
        moving, i = False, 0
        for pump in self.pumps:
            if pump.busy:
                moving = True
                self._turn_on(i, pump)
                if not pump.busy:
                    self.tell_pump(i)
            i += 1
        self._moving = moving
        if self.commands.watching():
            self.commands.tick()
        if self.triggers.active():
            self.triggers.tick()
        if self.state == m.RUNNING:
            if self.executor.tick():
                self._finish(m.BY_COMPLETION, OK)
        elif self.recovery.active:
            self.recovery.tick(dt_ms)
        elif self.state == m.READY and self.hal.line.heard_ms_ago() > _HAND_SILENT_MS and self._driven():
            self._outputs_off(m.BY_HOST_LOST)  # a program may go on alone; what a hand switched on may not outlive the hand
        if self.state == m.RUNNING and self._host_policy[0] != p.HOST_LOST_CONTINUE:
            self._mind_the_host()
        self._supply()
        self._start_pumps()
        self._telemetry_due -= dt_ms
        if self._telemetry_due <= 0:
            self._telemetry_due += self._telemetry_ms
            self._tell()
        self.hal.watchdog.feed()
        self._slack = True
        self.history.next_tick = self._next_tick

    # ---- what a program and a person may ask for

    def drive(self, op, arguments):
        """Drive one output; returns the accepted values. Raises RigError."""
        if op == m.HEATER:
            self.heater.set(arguments[0], arguments[1], self.thermometry.temp_mc)
            return arguments
        if op == m.CALIBRATE:
            return self._begin_calibration()
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

    def start(self, run_id):
        """Run the kept program. Raises RigError(WRONG_STATE | PROGRAM_*)."""
        if self.state != m.READY:
            raise RigError(WRONG_STATE, value=self.state)
        program = self.programs.load()
        if self.state != m.READY:  # ticks went on meanwhile
            raise RigError(WRONG_STATE, value=self.state)
        self.discard_run()
        self.exposure.start()
        self.probe.forget()
        self.journal.event(m.RUN_STARTED, run_id)
        self.adopt(run_id, program)
        self.executor.begin(program)
        self.enter(m.RUNNING)

    def adopt(self, run_id, program):
        """This is the run from now on."""
        self.run_id = run_id
        self.interrupted = None
        self.program_crc = self.programs.loaded_crc
        self.references_wanted = references_wanted(program[5])
        self._pump_policy, self._host_policy = program[3], program[4]
        self._telemetry_ms = program[1]
        self._telemetry_due = 0
        self.checkpoints.begin()

    def discard_run(self):
        """Forget a run that a reset interrupted; nothing resumes it any more."""
        if self.interrupted is not None:
            self._run_is_over()

    def resume_run(self, run_id, dark_s, exposure_mj):
        """Take up the run that a reset interrupted. Raises RigError(WRONG_STATE | RESUME_NOTHING | RESUME_WINDOW | PROGRAM_*)."""
        if self.state != m.READY:
            raise RigError(WRONG_STATE, value=self.state)
        self.recovery.begin(run_id, dark_s, exposure_mj)
        self.enter(m.PAUSED)

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
        self.enter(m.PAUSED)
        self.executor.pause()
        self.lamp.suspend()
        self.triggers.suspend()

    def resume(self):
        if self.state != m.PAUSED or self.recovery.active:
            raise RigError(WRONG_STATE, value=self.state)
        self.executor.resume()
        self.lamp.resume()
        self.triggers.resume()
        self.enter(m.RUNNING)

    def clear(self):
        """Leave FAULTED once the cause is gone, and trust pumps again that had failed. Raises RigError(WRONG_STATE | CAUSE_REMAINS)."""
        failed = [pump for pump in self.pumps if pump.failed]
        if self.state != m.FAULTED and not failed:
            raise RigError(WRONG_STATE, value=self.state)
        for i, pump in enumerate(self.pumps):
            if pump.failed and self.inputs.pump_stalled(i):
                raise RigError(CAUSE_REMAINS, value=pump.failed)
        for pump in failed:
            self.journal.event(m.CLEARED, pump.failed)
            pump.failed = 0
        if self.state != m.FAULTED:
            return
        self.journal.event(m.CLEARED, self.safety.clear())
        self.enter(m.READY)

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
        """Pumps that were told to begin in this turn begin in the same instant; where they stand is told."""
        mask, i = 0, 0
        for pump in self.pumps:
            if pump.starting:
                pump.starting = False
                mask |= 1 << i
                self.tell_pump(i)
            i += 1
        if mask:
            self.hal.start_together(mask)

    def fault(self, code, value=0, limit=0):
        running = self.state in (m.RUNNING, m.PAUSED)
        if self.safety.trip(code, value, limit):
            self.commands.outputs_went_off(code)
            if running:
                self.executor.end()
                self.journal.event(m.RUN_ENDED, m.BY_FAULT, code)
                self._run_is_over()
            self.enter(m.FAULTED)

    def _finish(self, by, code):
        self.executor.end()
        self._outputs_off(by)
        self.journal.event(m.RUN_ENDED, by, code)
        self._run_is_over()
        self.enter(m.READY)

    def _run_is_over(self):
        """Nothing resumes it from here on, whatever happens to the power."""
        self.run_id = self.interrupted = None
        self.recovery.end()
        self._telemetry_ms = _IDLE_TELEMETRY_MS
        self.checkpoints.write(self, None)

    def _wake(self, before):
        """What was before this start: told, and the syringes' contents taken over; outputs stay off whatever it was."""
        saved = self.checkpoints.saved
        if before is not None:
            self.journal.event(m.BOOTED, self.hal.identity.reset_cause, before[0], before[1] - 1)
        else:
            self.journal.event(m.BOOTED, self.hal.identity.reset_cause, saved.boot_id if saved else 0, 0)
        if saved is None:
            return
        for pump, levels in zip(self.pumps, saved.pumps):
            pump.restore(levels[0], levels[1])
        if saved.run_id is not None:
            self.interrupted = saved
            self.run_id = saved.run_id
            self.journal.event(m.RUN_INTERRUPTED, saved.run_id, saved.position[0])

    def _tend(self):
        """The slack behind a tick: flash, while nothing waits for the processor."""
        state = self.state
        if state == m.RUNNING or state == m.PAUSED:
            self.checkpoints.tick(self, ticks_diff(self._next_tick, self.ticks_us()))
        idle = self._idle()
        away = not self.link.greeted or self.hal.line.heard_ms_ago() > AWAY_MS
        self.history.tend(away, self.clock.s, self._next_tick, not self._moving, _AHEAD_IDLE if idle else _AHEAD_DRIVEN)
        self.checkpoints.tend(ticks_diff(self._next_tick, self.ticks_us()), not self._moving)

    def _turn_on(self, i, pump):
        """Plan a pump ahead; what goes wrong with it ends this pump, and the run only if the program says so."""
        stalled = self._stalled_ticks
        stalled[i] = stalled[i] + 1 if self.inputs.pump_stalled(i) else 0
        code = PUMP_STALLED if stalled[i] >= _STALLED_TICKS else OK
        if code == OK:
            try:
                pump.top_up(self.ticks_us())
                return
            except RigError as error:
                code = error.code
        stalled[i] = 0
        steps = pump.fail(code)
        self.journal.event(m.PUMP_FAILED, code, i, steps)
        self.commands.pump_failed(i, code)
        if self.state != m.RUNNING:
            return
        policy = self._pump_policy
        if policy[0] == p.FAULT_OFF or policy[1] == p.FAULT_OFF:
            self.fault(code, i)
        elif policy[2] == p.FAULT_OFF:
            for other in self.pumps:
                other.stop()

    def pump_failure(self):
        """Code of the first pump that has failed, OK where none has."""
        for pump in self.pumps:
            if pump.failed:
                return pump.failed
        return OK

    def _mind_the_host(self):
        policy = self._host_policy
        silent_s = self.hal.line.heard_ms_ago() // 1000
        if silent_s < policy[1]:
            return
        if policy[0] == p.HOST_LOST_STOP:
            self.journal.event(m.HOST_LOST, policy[0], silent_s)
            self._finish(m.BY_HOST_LOST, OK)
            return
        try:
            self.pause()
        except RigError:
            return  # a dose or a probe is finished first
        self.journal.event(m.HOST_LOST, policy[0], silent_s)

    def _begin_calibration(self):
        """The thermal model learns this block: 10 s at rest, a minute of half power. Raises RigError(WRONG_STATE | MODEL_IMPLAUSIBLE)."""
        if self.heater.target_mc != OFF_MC or self.lamp.requested_uw_per_cm2 or self.calibrating:
            raise RigError(WRONG_STATE, value=self.state)
        self.safety.model.begin_calibration(self.thermometry.temp_mc)
        self.calibrating = True
        return ()

    def _calibrate(self, dt_ms):
        duty = self.safety.model.calibrate(self.thermometry.temp_mc, dt_ms)
        if duty >= 0:
            self.heater.duty_u16 = duty
            self.hal.heater.renew(duty)
            return
        self.heater.off()
        self.calibrating = False
        try:
            found = self.safety.model.calibrated()
        except RigError as error:
            self.commands.calibration_ended(error.code, (error.value,))
            return
        self.settings.put_model(*found)
        self.safety.reload()
        self.journal.event(m.MODEL_CALIBRATED, *found)
        self.commands.calibration_ended(OK, found)

    def _supply(self):
        """The switch in series with heater and lamp is closed only while one of them is wanted; leases that lapsed are told."""
        master = self.hal.master
        wanted = self.state != m.FAULTED and (
            self.heater.target_mc != OFF_MC or self.calibrating or self.lamp.requested_uw_per_cm2 > 0 or self.probe.active
        )
        if wanted:
            master.renew(_FULL)
        elif self._supplied:
            master.off()
        self._supplied = wanted
        if self.hal.heater.lapsed():
            self.journal.event(m.LEASE_LAPSED, 0)
        if self.hal.lamp.lapsed():
            self.journal.event(m.LEASE_LAPSED, 1)

    def _outputs_off(self, by):
        began = self.ticks_us()
        was = self.safety.outputs_off()
        self.journal.event(m.OUTPUTS_OFF, by, was[0], was[1], was[2], ticks_diff(self.ticks_us(), began))
        if by != m.BY_COMPLETION:
            self.commands.outputs_went_off(WRONG_STATE)

    def enter(self, state):
        """Change the rig's state and tell it."""
        if state != self.state:
            self.journal.event(m.STATE_CHANGED, self.state, state)
            self.state = state
            self.hal.outputs.indicator(state)

    def _driven(self):
        """True while any output is on or moving."""
        return (
            self.heater.target_mc > 0
            or self.calibrating
            or self.lamp.requested_uw_per_cm2 > 0
            or self.probe.active
            or any([pump.busy for pump in self.pumps])
        )

    def _idle(self):
        return (self.state == m.READY or self.state == m.FAULTED) and not self.commands.watching() and not self._driven()

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
        self.tell_pumps()

    def tell_pumps(self):
        """Steps of the pumps that move: with the telemetry, and where a step of the program begins."""
        i = 0
        for pump in self.pumps:
            if pump.busy:
                self.tell_pump(i)
            i += 1

    def tell_pump(self, i):
        """Steps of a pump: also at its start and at its rest, so that every motion can be counted."""
        pump = self.pumps[i]
        self.journal.write(m.PUMP_TELEMETRY, i, pump.steps, pump.flow_nl_per_min)

    def _on_message(self, fields):
        kind = fields[0]
        link = self.link
        if kind == m.ACK and len(fields) == 4:
            link.credit(fields[1])
            if fields[2] == self.hal.identity.boot_id:
                self.journal.acknowledge(fields[3])
        elif kind == m.PAGE_KEPT and len(fields) == 2:
            self.history.kept(fields[1])
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
