"""What a figure is drawn from: the state of the rig at regular instants, and on both sides of each leap."""

from rig.heater import OFF_MC


class Curve:
    """rows: [t_s, setpoint_c or None, block_c, irradiance_uw_per_cm2, exposure_mj_per_cm2, [net infused nl of each pump]]."""

    def __init__(self, rig, period_s):
        self._rig = rig
        self._period_s = period_s
        self._next_s = 0.0
        self._light = -1
        self.rows = []

    def look(self):
        """A control tick has passed."""
        rig = self._rig
        if not self._period_s:
            return
        t_s = rig.t_s()
        light = rig.lamp.requested_uw_per_cm2
        if t_s >= self._next_s or light != self._light:
            self._light = light
            self._take(t_s)

    def bridge(self, before_s):
        """A leap is behind us; what was before it has been taken if it was due."""
        if not self._period_s:
            return
        t_s = self._rig.t_s()
        if self.rows and t_s - before_s > self._period_s:
            row = list(self.rows[-1])
            row[0] = before_s
            self.rows.append(row)
        self._take(t_s)

    def end(self):
        if self._period_s:
            self._take(self._rig.t_s())

    def _take(self, t_s):
        rig = self._rig
        heater = rig.heater
        self._next_s = t_s + self._period_s
        self.rows.append(
            [
                round(t_s, 1),
                None if heater.target_mc == OFF_MC else heater.setpoint_mc / 1000,
                round(rig.hal.plant._block_q / 1024000, 3),
                0 if rig.lamp.suspended else rig.lamp.measured_uw_per_cm2,
                rig.exposure.mj_per_cm2,
                [a - b for a, b in zip(rig.infused_nl, rig.withdrawn_nl)],
            ]
        )
