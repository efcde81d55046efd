"""What a figure is drawn from: the state of the rig at regular instants, and on both sides of each leap."""

from rig.heater import OFF_MC


class Curve:
    """rows: [t_s, setpoint_c or None, block_c, irradiance_uw_per_cm2, exposure_mj_per_cm2, [net infused nl of each pump]]."""

    def __init__(self, rig, period_s):
        self._rig = rig
        self.period_s = period_s
        self._next_s = 0.0
        self._asked = None
        self.rows = []

    def look(self):
        """A control tick has passed. What jumps is taken on both sides."""
        rig = self._rig
        if not self.period_s:
            return
        t_s = rig.t_s()
        asked = (rig.lamp.requested_uw_per_cm2, rig.heater.target_mc)
        if asked != self._asked:
            self._asked = asked
            self._hold(t_s - 0.1)
            self._take(t_s)
        elif t_s >= self._next_s:
            self._take(t_s)

    def bridge(self, before_s):
        """A leap is behind us."""
        if not self.period_s:
            return
        t_s = self._rig.t_s()
        if t_s - before_s > self.period_s:
            self._hold(before_s)
        self._take(t_s)

    def _hold(self, t_s):
        """Until now all was as it was taken last."""
        if self.rows and t_s > self.rows[-1][0]:
            self.rows.append([round(t_s, 1)] + self.rows[-1][1:])

    def end(self):
        if self.period_s:
            self._take(self._rig.t_s())

    def _take(self, t_s):
        rig = self._rig
        heater = rig.heater
        self._next_s = t_s + self.period_s
        self.rows.append(
            [
                round(t_s, 1),
                None if heater.target_mc == OFF_MC else heater.setpoint_mc / 1000,
                round(rig.hal.plant._block_q / 1024000, 3),
                0 if rig.lamp.suspended else rig.lamp.measured_uw_per_cm2,
                rig.exposure_mj(),
                [a - b for a, b in zip(rig.infused_nl, rig.withdrawn_nl)],
            ]
        )
