"""Commands from the host: each id once, answered with what was accepted, and told again when it has been executed.

A handler takes the arguments and returns the accepted values; it raises RigError to refuse. Outputs driven by hand are watched until
they have done what was asked; a newer command for the same output ends the watch as SUPERSEDED.
"""

import gc

from micropython import const

from remnant_protocol import messages as m
from remnant_protocol.errors import BAD_ARGUMENTS, OK, SETTING_RANGE, SUPERSEDED, TASK_FAILED, UNKNOWN_COMMAND, WRONG_STATE, RigError

_REMEMBERED = const(16)
SENSOR2_FITTED = const(70)  # rig/settings.py
_WATCHED_MAX = const(8)
_HEATED_WITHIN_MC = const(1000)
_LIT_AFTER_TICKS = const(10)


# arguments by letter: 1 2 4 unsigned of so many bytes, i signed of 4, n nil or i, t bool, y bytes (schema.COMMANDS says the same)
BY_HAND = {m.HEATER: "n4", m.LAMP: "4", m.FLOW: "1i", m.DISPENSE: "1i4t", m.PROBE: "211", m.CALIBRATE: ""}
_BITS = {"1": 8, "2": 16, "4": 32}


def check(arguments, letters):
    """Raises RigError(BAD_ARGUMENTS) unless every argument is of its type: nothing behind this line sees another one."""
    if len(arguments) != len(letters):
        raise RigError(BAD_ARGUMENTS, value=len(arguments), limit=len(letters))
    for i, letter in enumerate(letters):
        value = arguments[i]
        if letter == "t":
            good = isinstance(value, bool)
        elif letter == "y":
            good = isinstance(value, bytes)
        elif letter == "n" and value is None:
            good = True
        elif not isinstance(value, int) or isinstance(value, bool):
            good = False
        elif letter in _BITS:
            good = value >= 0 and value >> _BITS[letter] == 0
        else:
            good = -1 <= value >> 31 <= 0
        if not good:
            raise RigError(BAD_ARGUMENTS, value=i, limit=len(letters))


class Commands:
    def __init__(self, rig, link_answer):
        self._rig = rig
        self._answer = link_answer
        self._replies = []  # (id, reply fields), oldest first
        self._watched = []  # [id, op, key, begun_s, begun_us, ticks, arguments]
        self._handlers = {
            m.STATUS: (self._status, ""),
            m.PROGRAM_BEGIN: (rig.programs.begin, "24"),
            m.PROGRAM_DATA: (rig.programs.data, "2y"),
            m.PROGRAM_COMMIT: (rig.programs.commit, ""),
            m.START: (self._start, "y"),
            m.STOP: (self._stop, ""),
            m.CUT: (self._cut, ""),
            m.PAUSE: (rig.pause, ""),
            m.RESUME: (rig.resume, ""),
            m.CLEAR: (rig.clear, ""),
            m.CONTINUE: (self._continue, ""),
            m.SETTING: (self._setting, "1i"),
            m.RESUME_RUN: (self._resume_run, "y44"),
            m.DISCARD_RUN: (rig.discard_run, ""),
        }

    def watching(self):
        """True while a command by hand is not yet executed."""
        return bool(self._watched)

    def take(self, fields):
        """One COMMAND frame: [COMMAND, id, op, arguments...]."""
        if len(fields) < 3 or not isinstance(fields[1], int) or not isinstance(fields[2], int):
            return
        number = fields[1]
        for known, reply in self._replies:
            if known == number:
                self._answer(*reply)
                return
        try:
            accepted = self._execute(number, fields[2], fields[3:])
            reply = [m.REPLY, number, OK] + accepted
        except RigError as error:
            reply = [m.REPLY, number, error.code] + [v for v in (error.value, error.limit) if isinstance(v, int)]
        except (TypeError, ValueError) as error:
            self._rig.tell_exception(error)
            reply = [m.REPLY, number, BAD_ARGUMENTS]
        except Exception:
            self._reply(number, [m.REPLY, number, TASK_FAILED])
            raise  # a fault, told by the application
        self._reply(number, reply)

    def _reply(self, number, reply):
        """Answer, and remember the answer for when the same id comes again."""
        if len(self._replies) >= _REMEMBERED:
            self._replies.pop(0)
        self._replies.append((number, reply))
        self._answer(*reply)

    def tick(self):
        """Look after commands by hand: write EXECUTED for those that are done."""
        for watched in self._watched[:]:
            watched[5] += 1
            measured = self._done(watched)
            if measured is not None:
                self._watched.remove(watched)
                self._executed(watched, OK, measured)

    def outputs_went_off(self, code):
        """Whatever was being watched will not happen: tell it with the code of what ended it."""
        for watched in self._watched:
            self._executed(watched, code, [])
        self._watched.clear()

    def calibration_ended(self, code, measured):
        """The thermal model has been calibrated, or what was found is no block."""
        for watched in self._watched[:]:
            if watched[1] == m.CALIBRATE:
                self._watched.remove(watched)
                self._executed(watched, code, measured)

    def pump_failed(self, pump, code):
        """What was asked of this pump will not happen."""
        for watched in self._watched[:]:
            if watched[1] in (m.FLOW, m.DISPENSE) and watched[6][0] == pump:
                self._watched.remove(watched)
                self._executed(watched, code, [pump, self._rig.pumps[pump].steps])

    def _execute(self, number, op, arguments):
        rig = self._rig
        if op in BY_HAND:
            check(arguments, BY_HAND[op])
            if rig.state != m.READY:
                raise RigError(WRONG_STATE, value=rig.state)
            if len(self._watched) >= _WATCHED_MAX:
                raise RigError(WRONG_STATE, value=_WATCHED_MAX)
            accepted = list(rig.drive(op, arguments))
            key = (op, arguments[0]) if op in (m.FLOW, m.DISPENSE) else (op, 0)
            self._supersede(key)
            clock = rig.clock
            self._watched.append([number, op, key, clock.s, clock.us, 0, arguments])
            return accepted
        handler = self._handlers.get(op)
        if handler is None:
            raise RigError(UNKNOWN_COMMAND, value=op)
        check(arguments, handler[1])
        accepted = handler[0](*arguments)
        return list(accepted) if accepted else list(arguments) if op != m.PROGRAM_DATA else arguments[:1]

    def _supersede(self, key):
        pump = key[1] if key[0] in (m.FLOW, m.DISPENSE) else None
        for watched in self._watched[:]:
            other = watched[2]
            if other == key or (pump is not None and other[0] in (m.FLOW, m.DISPENSE) and other[1] == pump):
                self._watched.remove(watched)
                self._executed(watched, SUPERSEDED, [])

    def _executed(self, watched, code, measured):
        self._rig.journal.write(m.EXECUTED, watched[0], watched[1], code, watched[3], watched[4], *measured)

    def _done(self, watched):
        """Measured values once the command has done its work, else None."""
        rig = self._rig
        op, arguments = watched[1], watched[6]
        if op == m.HEATER:
            temp_mc = rig.thermometry.temp_mc
            if arguments[0] is None:
                return [temp_mc]
            off = temp_mc - arguments[0]
            near = -_HEATED_WITHIN_MC <= off <= _HEATED_WITHIN_MC
            return [temp_mc] if near and rig.heater.setpoint_mc == rig.heater.target_mc else None
        if op == m.LAMP:
            return [rig.lamp.measured_uw_per_cm2] if watched[5] >= _LIT_AFTER_TICKS else None
        if op == m.CALIBRATE:
            return None  # calibration_ended tells it
        if op == m.PROBE:
            return None if rig.probe.active else [rig.probe.readings]
        pump = rig.pumps[arguments[0]]
        if op == m.FLOW:
            reached = abs(pump.flow_nl_per_min - arguments[1]) <= abs(arguments[1]) // 100 + 1
            return [arguments[0], pump.steps] if reached else None
        return None if pump.busy else [arguments[0], pump.steps, pump.moved_nl]

    def _status(self):
        rig = self._rig
        heater = rig.heater
        return (
            rig.state,
            rig.safety.code or rig.pump_failure(),
            rig.thermometry.temp_mc,
            heater.setpoint_mc,
            rig.lamp.measured_uw_per_cm2,
            rig.exposure.mj_per_cm2,
            rig.executor.step,
            gc.mem_free() if hasattr(gc, "mem_free") else 0,
            rig.history.pages_waiting,
        )

    def _resume_run(self, run_id, dark_s, exposure_mj):
        self._rig.resume_run(run_id, dark_s, exposure_mj)
        return (run_id, dark_s, self._rig.exposure.mj_per_cm2)

    def _start(self, run_id):
        if not isinstance(run_id, (bytes, bytearray)) or len(run_id) != 16:
            raise RigError(BAD_ARGUMENTS, value=0, limit=16)
        self._rig.start(bytes(run_id))
        return (run_id,)

    def _stop(self):
        self._rig.stop(m.BY_STOP)

    def _cut(self):
        self._rig.stop(m.BY_CUT)

    def _continue(self):
        self._rig.executor.answer()

    def _setting(self, key, value):
        if self._rig.state == m.RUNNING:
            raise RigError(WRONG_STATE, value=self._rig.state)
        if key == SENSOR2_FITTED and value and self._rig.hal.adc.sensors < 2:
            raise RigError(SETTING_RANGE, value=value, limit=0)
        self._rig.settings.put(key, value)
        self._rig.reload()


def task_failed(rig, error):
    """A part of the firmware raised: a fault with its own code where it has one, TASK_FAILED else; never silence."""
    if isinstance(error, RigError):
        return error.code, error.value if isinstance(error.value, int) else 0, error.limit if isinstance(error.limit, int) else 0
    rig.tell_exception(error)
    return TASK_FAILED, 0, 0
