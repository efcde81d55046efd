"""The firmware's application as it is played: the same control tick, with a record that is listened to instead of sent.

What the board would refuse is noted and, where it can be, got over (a syringe refilled, a wait ended), so that one play finds everything
that is wrong. An operator answers and a trigger comes at once: how long they take, nobody knows.
"""

from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import OK, WAIT_TIMEOUT, RigError
from rig.app import App
from rig.commands import task_failed
from rig.pump import PUMP_TRAVEL_END

TICK_S = 0.1
_BACK_MC = 3000  # rig/heater.py waits with its ramp when the block is so far behind
_FULL = 65535


class _Programs:
    loaded_crc = 0

    def __init__(self, program):
        self._program = program

    def load(self):
        return self._program


class PlayedRig(App):
    """trouble: [(kind, step, t_s, facts)]; records, and of them telemetry, events, readings: how many were made; asked: (step, t_s) of each
    wait for a person; on_event(t_s, event, arguments): called as an event is journalled."""

    def __init__(self, hal, settings, program):
        super().__init__(hal)
        for key, value in settings.items():
            self.settings.put(int(key), value)
        self.reload()
        self.programs = _Programs(program)
        self.journal.write = self._hear  # event() goes through write(); nothing is kept in the ring
        self._refused_at = None
        self.began_us = 0
        self.trouble = []
        self.on_event = lambda t_s, event, arguments: None
        self.records = self.telemetry = self.events = 0
        self.infused_nl = [0] * len(self.pumps)
        self.withdrawn_nl = [0] * len(self.pumps)
        self.refills = [0] * len(self.pumps)
        self._delivered = [0] * len(self.pumps)
        self._were_moving = [False] * len(self.pumps)
        self.moving_ticks = [0] * len(self.pumps)
        self.behind_ticks = 0  # the ramp waited for the block
        self.dim_uw = None  # the least that the lamp gave at full duty while more was asked
        self.readings = self.pulses = 0  # of all cells
        self.asked = []

    # ---- time

    def t_s(self):
        """Seconds since the run began."""
        return (self.hal.clock.us - self.began_us) / 1e6

    def exposure_mj(self):
        """Radiant exposure since the run began, in mJ/cm2 with what the board keeps below one."""
        return round(self.exposure.mj_per_cm2 + self.exposure._nj / 1e6, 4)

    def begin(self, run_id=b"forecast"):
        """Wait until the board is ready, then start the program."""
        while self.state != m.READY:
            self.step_on()
            if self.state == m.FAULTED:
                return
        self.began_us = self.hal.clock.us
        self.start(run_id)

    def step_on(self):
        """The plant lives through 100 ms, then comes a control tick."""
        self.hal.pass_tick()
        self.thermometry.repeats = 0  # a sensor without noise is not a dead one
        if self.executor.prompt >= 0:
            self.asked.append((self.executor.step, round(self.t_s(), 1)))
            self.executor.answer()
        try:
            self.tick()
        except Exception as error:  # as App.turn does; but what times out is got over
            if isinstance(error, RigError) and error.code == WAIT_TIMEOUT:
                self.note("timeout", conditions=self.drop_wait(), limit_ms=error.limit)
            else:
                self.fault(*task_failed(self, error))
        self._watch()

    def drop_wait(self):
        """Let the program go on behind what it waits for; returns the conditions it waited for."""
        executor = self.executor
        if executor._wait is not None:
            conditions, executor._wait = [executor._wait[1]], None
        else:
            conditions = list(executor._stack.pop().conditions)
        return conditions

    def _watch(self):
        heater, temp_mc = self.heater, self.thermometry.temp_mc
        if heater.setpoint_mc != heater.target_mc and abs(heater.setpoint_mc - temp_mc) > _BACK_MC:
            self.behind_ticks += 1
        lamp = self.lamp
        if lamp.duty_u16 == _FULL and not lamp.suspended and lamp.measured_uw_per_cm2 * 100 < lamp.requested_uw_per_cm2 * 99:
            self.dim_uw = min(self.dim_uw or lamp.measured_uw_per_cm2, lamp.measured_uw_per_cm2)
        for i, pump in enumerate(self.pumps):
            if pump.busy or self._were_moving[i]:
                self._were_moving[i] = pump.busy
                self.moving_ticks[i] += 1
                self.account(i)

    def account(self, i):
        """Take over what a pump has moved."""
        delivered = self.pumps[i].delivered_nl
        moved = delivered - self._delivered[i]
        self._delivered[i] = delivered
        if moved > 0:
            self.infused_nl[i] += moved
        else:
            self.withdrawn_nl[i] -= moved

    # ---- what is listened to

    def note(self, what, **facts):
        """Something that the rig cannot do, or that a person should know."""
        self.trouble.append((what, self.executor.step, round(self.t_s(), 1), facts))

    def _hear(self, message, *fields):
        self.records += 1
        if message == m.EVENT:
            self.events += 1
            self.on_event(self.t_s(), fields[0], fields[1:])
        elif message == m.PROBE_READING:
            self.readings += 1
            self.pulses += len(fields[4]) // 2
        elif message == m.FAULT:
            self.note("fault", code=fields[0], value=fields[1], limit=fields[2])

    def _tell(self):
        told = 1 + sum(1 for pump in self.pumps if pump.busy)
        self.records += told
        self.telemetry += 1

    # ---- what is refused

    def drive(self, op, arguments):
        try:
            return super().drive(op, arguments)
        except RigError as error:
            return self._got_over(op, arguments, error)

    def _got_over(self, op, arguments, error):
        """Note what the board refuses. An empty syringe is refilled, a full one emptied; what remains refused is left out."""
        if op not in (m.DISPENSE, m.FLOW):
            self.note("refused", op=op, code=error.code, value=error.value, limit=error.limit)
            return arguments
        i = arguments[0]
        if error.code != PUMP_TRAVEL_END:
            self.note("refused", op=op, code=error.code, pump=i, value=error.value, limit=error.limit)
            return arguments
        infuses = arguments[1] > 0
        pump, syringe_nl = self.pumps[i], self.settings["pump%d_syringe_nl" % i]
        left_nl = pump.left_nl if infuses else syringe_nl - pump.left_nl
        wanted_nl = abs(arguments[1]) if op == m.DISPENSE else 0
        self.note("travel", pump=i, infuses=infuses, wanted_nl=wanted_nl, left_nl=left_nl, syringe_nl=syringe_nl)
        self._exchange(i, infuses)
        try:
            return super().drive(op, arguments)
        except RigError:
            return arguments

    def _exchange(self, i, infuses):
        """A person puts a full (infusing) or an empty syringe in."""
        self.account(i)
        pump = self.pumps[i]
        pump.load(self.settings["pump%d_syringe_nl" % i] if infuses else 0)
        self.refills[i] += 1

    def _turn_on(self, i, pump):
        wanted = pump.flow_wanted
        try:
            pump.top_up(self.ticks_us())
        except RigError as error:
            self.note("travel", pump=i, infuses=wanted > 0, wanted_nl=0, left_nl=0, syringe_nl=self.settings["pump%d_syringe_nl" % i])
            if error.code == PUMP_TRAVEL_END and wanted:
                self._exchange(i, wanted > 0)
                pump.set_flow(wanted)

    # ---- nothing to do here

    def _mind_the_host(self):
        pass


def ended(rig):
    """True when the program has come to its end or the board has latched a fault."""
    return rig.state != m.RUNNING


__all__ = ["OK", "PlayedRig", "TICK_S", "ended", "p"]
