"""Gain, time constant, delay and room of a heater block from its answer to a step: 10 s at rest, then a minute of half power.

With s0 the slope at rest, T0 the reading at the step, G the heating rate of the step, d the sensor's delay (a lag) and I the integral of
T - T0, the block's equation dT/dt = G (1 - exp(-t/d)) + s0 - (T - T0)/tau integrates to T - T0 - s0 t = G t - G d - I / tau once
the lag has died away, which is linear in G, G d and 1 / tau: least squares over the readings from _SETTLED_S on. Readings are averaged
over a second, sums are taken about their means, so that single-precision floats do. Floats are used at the end only, in `result`.

On boards/plant, 15 to 40 degC: gain / tau within 1 %, tau and gain within 4 %, delay within 0.2 s, room within 0.8 K.
"""

from array import array

from micropython import const

from remnant_protocol.errors import MODEL_IMPLAUSIBLE, RigError

_FULL = const(65535)
_HALF_U16 = const(32768)
_REST_S = const(10)
_STEP_S = const(60)
_SETTLED_S = const(15)  # five delays of 3 s
_LEAST_S = const(30)  # a step that ends earlier is of a heater above 1 K/s
_SECOND_MS = const(1000)
_TICK_MS = const(100)
_RISE_MOST_MC = const(15000)
_RISE_LEAST_MC = const(1000)

# (lowest, highest) that a block can have
REST_MC_PER_S = (-100, 20)  # at rest it cools or stands; more is a heater that is stuck
RATE_MC_PER_S = (50, 1000)  # at full duty
TAU_MS = (60_000, 3_600_000)
GAIN_MC = (20_000, 500_000)
DEAD_MS = (-1000, 15_000)
AMBIENT_MC = (-20_000, 60_000)


class StepResponse:
    """begin, tick until it returns -1, result."""

    def __init__(self, limits):
        self._hottest_mc = limits["temp_max_mc"] - _RISE_MOST_MC
        self._means = array("i", [0] * (_REST_S + _STEP_S))
        self._count = self._sum = self._readings = self._passed_ms = 0
        self._start_mc = 0
        self._over = True

    def begin(self, temp_mc):
        """Begin anew. Raises RigError(MODEL_IMPLAUSIBLE) where 15 K more would leave the board's limits."""
        if temp_mc > self._hottest_mc:
            raise RigError(MODEL_IMPLAUSIBLE, where="start_mc", value=temp_mc, limit=self._hottest_mc)
        self._count = self._sum = self._readings = self._passed_ms = 0
        self._start_mc = temp_mc
        self._over = False

    def tick(self, temp_mc, dt_ms):
        """Take a reading; return the duty until the next one, -1 when over: after a minute of the step, or 15 K above the start."""
        if self._over:
            return -1
        self._sum += temp_mc
        self._readings += 1
        self._passed_ms += dt_ms
        if self._passed_ms >= _SECOND_MS:
            self._means[self._count] = self._sum // self._readings
            self._count += 1
            self._passed_ms -= _SECOND_MS
            self._sum = self._readings = 0
        if self._count >= _REST_S + _STEP_S or temp_mc > self._start_mc + _RISE_MOST_MC:
            self._over = True
            return -1
        return 0 if self._count < _REST_S else _HALF_U16

    def result(self):
        """Return (gain_mk, tau_ms, dead_ms, ambient_mc); gain is the steady rise at full duty.

        Raises RigError(MODEL_IMPLAUSIBLE) with where, value and limit.
        """
        means, count = self._means, self._count
        if count <= _REST_S:
            raise RigError(MODEL_IMPLAUSIBLE, where="rise_s", value=count, limit=_REST_S)
        at_rest_mc, rest = _line([means[i] for i in range(_REST_S)])
        _within("rest_mc_per_s", rest, REST_MC_PER_S)
        rise_mc = means[count - 1] - at_rest_mc - rest * (count - _REST_S)
        if count < _REST_S + _LEAST_S and rise_mc > 0:
            _within("rate_mc_per_s", rise_mc * _FULL / _HALF_U16 / (count - _REST_S), RATE_MC_PER_S)
        if rise_mc < _RISE_LEAST_MC or count < _REST_S + _LEAST_S:
            raise RigError(MODEL_IMPLAUSIBLE, where="rise_mc", value=int(rise_mc), limit=_RISE_LEAST_MC)
        times, rises, integrals = [], [], []
        integral = 0.0
        for i in range(count - _REST_S):
            above = means[_REST_S + i] - at_rest_mc
            if i >= _SETTLED_S:
                t_s = i + 0.5 + 0.0005 * _TICK_MS  # the readings of a second are those at the ends of its ticks
                times.append(t_s)
                rises.append(above - rest * t_s)
                integrals.append(integral + above * 0.5)
            integral += above
        step, delayed, loss = _fit(times, rises, integrals)
        rate = step * _FULL / _HALF_U16
        _within("rate_mc_per_s", rate, RATE_MC_PER_S)
        if loss * TAU_MS[1] < 1000:
            raise RigError(MODEL_IMPLAUSIBLE, where="tau_ms", value=int(1000 / loss) if loss > 1e-9 else -1, limit=TAU_MS[1])
        _within("tau_ms", 1000 / loss, TAU_MS)
        _within("gain_mc", rate / loss, GAIN_MC)
        _within("dead_ms", delayed / step * 1000, DEAD_MS)
        ambient_mc = at_rest_mc + rest / loss
        _within("ambient_mc", ambient_mc, AMBIENT_MC)
        return int(rate / loss), int(1000 / loss), max(0, int(delayed / step * 1000)), int(ambient_mc)


def _within(name, value, bounds):
    if not bounds[0] <= value <= bounds[1]:
        raise RigError(MODEL_IMPLAUSIBLE, where=name, value=int(value), limit=bounds[0] if value < bounds[0] else bounds[1])


def _line(values):
    """(value at the end, slope per second) of a straight line through means of seconds."""
    n = len(values)
    mean = sum(values) / n
    slope = sum([(i - (n - 1) / 2) * (values[i] - mean) for i in range(n)]) / (n * (n * n - 1) / 12)
    return mean + slope * n / 2, slope


def _fit(times, rises, integrals):
    """Least squares of rise = step t - delayed - loss integral; returns (step, delayed, loss)."""
    n = len(times)
    t0, y0, i0 = sum(times) / n, sum(rises) / n, sum(integrals) / n
    tt = sum([(t - t0) * (t - t0) for t in times])
    bend = sum([(t - t0) * (x - i0) for t, x in zip(times, integrals)]) / tt  # of the integral: its straight part
    straight = sum([(t - t0) * (y - y0) for t, y in zip(times, rises)]) / tt
    curve = [x - i0 - bend * (t - t0) for t, x in zip(times, integrals)]
    loss = -sum([c * (y - y0 - straight * (t - t0)) for c, y, t in zip(curve, rises, times)]) / sum([c * c for c in curve])
    step = straight + loss * bend
    return step, step * t0 - loss * i0 - y0, loss
