"""Recovery: a run that a reset or a power cut interrupted, taken up again because a person said so, inside the plan's window.

First the block goes back to its temperature, light and pumps off, the program's clock standing still; then light, flows and what was left
of a dose come back and the program goes on where its checkpoint says. A ramp that was going on begins again from the present temperature.
"""

from micropython import const

from remnant_protocol import messages as m
from remnant_protocol.errors import RESUME_NOTHING, RESUME_WINDOW, WAIT_TIMEOUT, RigError

from .heater import OFF_MC

_BAND_MC = const(1000)
_SETTLED_MS = const(30_000)
_GIVE_UP_MS = const(2_400_000)
_TOLD_MORE_MAX_S = const(120)  # a host may know of more light than the checkpoint, by so much at the limit's irradiance


class Recovery:
    """active: the block is on its way back and the program waits."""

    def __init__(self, rig):
        self._rig = rig
        self.active = False
        self._saved = None
        self._inside_ms = self._waited_ms = 0

    def begin(self, run_id, dark_s, exposure_mj):
        """Raises RigError(RESUME_NOTHING | RESUME_WINDOW | PROGRAM_*); nothing has changed then."""
        rig = self._rig
        saved = rig.interrupted
        if saved is None or saved.run_id != run_id:
            raise RigError(RESUME_NOTHING)
        program = rig.programs.load()
        if rig.programs.loaded_crc != saved.program_crc:
            raise RigError(RESUME_NOTHING)
        window_s = program[4][2] if len(program[4]) > 2 else 0
        if dark_s > window_s:
            raise RigError(RESUME_WINDOW, value=dark_s, limit=window_s)
        most = saved.exposure_mj + rig.limits["irradiance_max_uw_per_cm2"] * _TOLD_MORE_MAX_S // 1000
        rig.exposure.restore(exposure_mj if saved.exposure_mj < exposure_mj <= most else saved.exposure_mj, saved.probe_uj)
        rig.probe.restore(saved.references)
        rig.adopt(run_id, program)
        rig.executor.restore(program, saved.position)
        rig.executor.pause()
        target_mc, setpoint_mc, ramp = saved.heater
        ramping = target_mc != setpoint_mc
        if target_mc != OFF_MC:
            rig.heater.set(target_mc, ramp if ramping else rig.limits["ramp_max_mc_per_min"], rig.thermometry.temp_mc)
        self._saved = saved
        self._inside_ms = _SETTLED_MS if ramping or target_mc == OFF_MC else 0
        self._waited_ms = 0
        self.active = True
        rig.journal.event(m.RUN_RESUMED, run_id, dark_s, rig.exposure.mj_per_cm2, rig.executor.step)

    def end(self):
        """The run is over, or goes on."""
        self.active = False
        self._saved = None

    def tick(self, dt_ms):
        """While active: wait for the temperature, then go on. Raises RigError(WAIT_TIMEOUT)."""
        rig = self._rig
        if self._inside_ms < _SETTLED_MS:
            off = rig.thermometry.temp_mc - self._saved.heater[0]
            self._inside_ms = self._inside_ms + dt_ms if -_BAND_MC <= off <= _BAND_MC else 0
            self._waited_ms += dt_ms
            if self._waited_ms > _GIVE_UP_MS:
                raise RigError(WAIT_TIMEOUT, value=rig.thermometry.temp_mc, limit=_GIVE_UP_MS)
            if self._inside_ms < _SETTLED_MS:
                return
        saved = self._saved
        self.end()
        if saved.lamp:
            rig.lamp.set(saved.lamp)
        for i, levels in enumerate(saved.pumps):
            if levels[2]:
                rig.drive(m.DISPENSE, (i, levels[2], levels[3], False))
            elif levels[3]:
                rig.drive(m.FLOW, (i, levels[3]))
        rig.triggers.resume(saved.triggers)
        rig.executor.resume()
        rig.enter(m.RUNNING)
