"""The plant: heater block, sensor, lamp, cells and syringes put together behind the pins of a board.

`advance` runs 1.73 million times in a simulated 48 h, so it is written out in place: small integers only, nothing allocated, and only what
must move every 100 ms (block, sensor, light spent). Sample, LED warming and ageing move once a second. It always moves in whole steps of
100 ms: shorter intervals are gathered, their duties averaged, so the outcome does not depend on how time was cut.
"""

from math import sqrt

from . import faults, lamp, luminescence, noise, thermal, thermistor
from .ageing import LIQUIDS, Contact, ReducedTime, Sample, constants, names
from .noise import DIGIT, GAUSS, GAUSS_LAST, MULTIPLIER, Noise
from .syringe import DEFAULTS, Syringe
from .thermal import HEAT_PER_U16, LOSS_Q22, SENSOR_Q15
from .thermistor import TABLE

STEP_US = 100000
CELLS = 4
FULL = 65535
SUPPLY_COUNTS = 40000  # 24 V behind a divider
_SENSOR_NOISE, _ANALOG_NOISE, _OPTICS_NOISE, _BRIGHTNESS, _SENSOR2_NOISE = 1, 2, 3, 4, 5  # streams
SECOND_US = 1000000
_REST_Q = 2048  # 2 mK: nearer comes no lag
_TOGETHER_Q = 512  # 0.5 mK: both sensors are one again
SAMPLE_NL = 2000000  # liquid in a cell before anything is dosed


class Plant:
    """One rig with its samples, from a scenario (README.md); the same scenario and calls give the same numbers on every interpreter.

    After `probe_pulse` the counts are in dark, lit, monitor (0..65535). Inputs: interlock_closed, stop_pressed, trigger_in.
    master_on: the switch in series with heater and lamp; set it to False and neither has power, whatever else is broken.
    """

    def __init__(self, scenario):
        seed = scenario.get("seed", 0)
        self.set_ambient(scenario.get("ambient_c", 22))
        self._block_q = self._sample_q = self._sensor_q = self._sensor2_q = self._ambient_q
        self._apart = False  # the second sensor's temperature is kept for itself
        self._rest = 0
        self._left = 10  # steps of the present second
        self._seconds = 0
        self._lamp = lamp.Lamp()
        self._gain = self._lamp.gain
        self._lamp_u16 = 0
        self._lamp_sum = 0
        self._lamp_warm = False
        self._stress_mj = 0
        self._stress_rest = 0  # 0.1 uJ/cm2
        self._z = noise.start(seed, _SENSOR_NOISE)
        self._n = self._sigma = 0
        self._analog_n = self._analog_sigma = 0
        self._last_sum = 0
        self._noise2 = Noise(seed, _SENSOR2_NOISE)
        self._n2 = self._sigma2 = 0
        self._analog = Noise(seed, _ANALOG_NOISE)
        self._optics = Noise(seed, _OPTICS_NOISE)
        self._liquids, self._contacts = _liquids(scenario.get("liquids", []))
        self._times, self._cells = _fill(scenario.get("cells", ["templated", "control"]), Noise(seed, _BRIGHTNESS), self._contacts)
        self._filled = sum([sample is not None for sample in self._cells])
        self._switching = [sample for sample in self._cells if sample is not None and sample.switching]
        self._signal = [0] * CELLS
        self._shot = [0] * CELLS
        self._signal_at = [-1] * CELLS
        self._syringes = [Syringe(**s) for s in scenario.get("syringes", DEFAULTS)]
        self.dark = self.lit = self.monitor = 0
        self.interlock_closed = True
        self.stop_pressed = False
        self.trigger_in = [False, False]
        self.master_on = True
        self._part_us = self._part_heater = self._part_lamp = self._part_on_us = 0
        self._cuvette_left = 0
        self._drift_from = 0
        self._faults = {name: False for name in faults.NAMES}
        self._sensor_faulty = self._output_faulty = False
        self._due = faults.schedule(scenario.get("faults", []))
        self._short_us = STEP_US
        self._fire(0)

    # ---- time

    def advance(self, dt_us, heater_u16, lamp_u16):
        """Live through dt_us with these duties (0..65535) on the pins."""
        if dt_us != self._short_us:
            self._advance_in_parts(dt_us, heater_u16, lamp_u16)
            return
        if not self.master_on:
            heater_u16 = lamp_u16 = 0
        block = self._block_q  # thermal.block_step
        gained = heater_u16 * HEAT_PER_U16 - ((block - self._ambient_q) >> 10) * LOSS_Q22 + self._rest
        self._rest = gained & 4095
        self._block_q = block = block + (gained >> 12)
        sensor = self._sensor_q  # thermal.follow
        self._sensor_q = sensor + ((((block - sensor) >> 8) * SENSOR_Q15) >> 7)
        self._lamp_u16 = lamp_u16
        if lamp_u16:
            self._lamp_sum += lamp_u16
        self._left = left = self._left - 1
        if not left:
            self._second()

    def _advance_in_parts(self, dt_us, heater_u16, lamp_u16):
        """Any interval, broken outputs, faults that fall due within the second."""
        if dt_us >= 2 * SECOND_US and not heater_u16 and not lamp_u16 and self._at_rest():
            self._sleep(dt_us // SECOND_US)
            dt_us %= SECOND_US
        while dt_us > 0:
            part_us = min(dt_us, STEP_US - self._part_us)
            dt_us -= part_us
            self._part_us += part_us
            if self.master_on:
                self._part_heater += heater_u16 * part_us
                self._part_lamp += lamp_u16 * part_us
                self._part_on_us += part_us
            if self._part_us == STEP_US:
                self._faulty_step(self._part_heater // STEP_US, self._part_lamp // STEP_US, FULL * self._part_on_us // STEP_US)
                self._part_us = self._part_heater = self._part_lamp = self._part_on_us = 0
            self._choose_way()
        self._lamp_u16 = lamp_u16 if self.master_on and not self._faults["lamp_dead"] else 0

    def _at_rest(self):
        """Dark, sound, nothing due, and all at the room's temperature: only ageing goes on."""
        if self._due or self._output_faulty or self._apart or self._part_us or self._cuvette_left or self._lamp_sum or self._lamp_warm:
            return False
        block, ambient = self._block_q, self._ambient_q
        for q, target in ((block, ambient), (self._sensor_q, block), (self._sample_q, block)):
            if not -_REST_Q < q - target < _REST_Q:
                return False
        return True

    def _sleep(self, seconds):
        """Whole seconds at rest, at once."""
        self._seconds += seconds
        mk = (self._sample_q >> 10) - thermistor.FIRST_MC
        for time in self._times:
            time.seconds(mk >> 9, mk & 511, seconds)
        for contact in self._contacts:
            contact.seconds(seconds)
        for sample in self._switching:
            sample.switch_back(seconds)

    def _faulty_step(self, heater_u16, lamp_u16, full_u16):
        """One step with what is broken; full_u16: what the closed part of the series switch lets through."""
        broken = self._faults
        if broken["heater_stuck_on"]:
            heater_u16 = full_u16
        if broken["heater_dead"]:
            heater_u16 = 0
        if broken["lamp_dead"]:
            lamp_u16 = 0
        if broken["supply_low"]:
            heater_u16 = heater_u16 * faults.SUPPLY_LOW_PERCENT // 100
        if broken["lid_open"]:
            heater_u16 -= thermal.loss_u16(self._block_q, self._ambient_q)
        if self._cuvette_left:
            heater_u16 -= faults.CUVETTE_U16
            self._cuvette_left -= 1
            if not self._cuvette_left:
                self.set_fault("cold_cuvette", False)
        sensor_q = self._sensor_q
        sensor2_q = self._sensor2_q if self._apart else sensor_q
        switch, self.master_on = self.master_on, True  # it has had its say above
        self._short_us = STEP_US
        self.advance(STEP_US, heater_u16, lamp_u16)
        self.master_on = switch
        if broken["sensor_detached"]:
            self._sensor_q = thermal.follow(sensor_q, self._ambient_q, thermal.DETACHED_Q15)
            self._apart = True
        if self._apart:
            self._sensor2_q = thermal.follow(sensor2_q, self._block_q, SENSOR_Q15)
            self._apart = broken["sensor_detached"] or not -_TOGETHER_Q < self._sensor2_q - self._sensor_q < _TOGETHER_Q
        self._fire(self._step())

    def _step(self):
        """Steps of 100 ms so far."""
        return self._seconds * 10 + 10 - self._left

    def _second(self):
        """What is slow enough to move once a second: lamp, sample, ageing; and the schedule of faults."""
        self._left = 10
        self._seconds += 1
        lamp_sum = self._lamp_sum
        target_q = self._block_q
        if lamp_sum:
            light = (lamp_sum >> 4) * self._gain >> 10  # 0.1 uJ/cm2 of this second
            self._lamp_sum = 0
            rest = self._stress_rest + light
            if rest >= 10000:
                self._stress_mj += rest // 10000
                rest %= 10000
            self._stress_rest = rest
            target_q += light * (thermal.LAMP_HEATING_MK_PER_MW_PER_CM2 * 1024 // 400) // 25
        if lamp_sum or self._lamp_warm:
            self._lamp_warm = self._lamp.second(lamp_sum)
            self._gain = self._lamp.gain
        self._sample_q = sample_q = thermal.follow(self._sample_q, target_q, thermal.SAMPLE_Q15)
        mk = (sample_q >> 10) - thermistor.FIRST_MC
        for time in self._times:
            time.second(mk >> 9, mk & 511)
        for contact in self._contacts:
            contact.seconds(1)
        for sample in self._switching:
            if lamp_sum:
                sample.switch_second()
            else:
                sample.switch_back(1)
        if self._due:
            self._fire(self._seconds * 10)
            self._choose_way()

    def _choose_way(self):
        """The short way through `advance` serves whole steps with sound outputs and no fault falling due within the second."""
        due = self._due and self._due[0][0] < self._seconds * 10 + 10
        self._short_us = -1 if self._part_us or self._output_faulty or self._apart or due else STEP_US

    # ---- analog inputs: sums of n 16-bit samples

    def sensor_sum(self, n):
        """The block's NTC."""
        if n != self._n:
            self._n = n
            self._sigma = int(thermistor.NOISE_COUNTS * thermistor.FRACTION * sqrt(n))
            self._last_sum = 0
        if self._sensor_faulty:
            return self._broken_sensor(n)
        self._z = z = MULTIPLIER * (self._z & DIGIT) + (self._z >> 15)
        mk = (self._sensor_q >> 10) + 60000  # - thermistor.FIRST_MC
        cell = mk >> 9
        low = TABLE[cell]
        low += (TABLE[cell + 1] - low) * (mk & 511) >> 9
        self._last_sum = total = low * n + (GAUSS[z & GAUSS_LAST] * self._sigma >> 12) >> 6
        return total

    def _broken_sensor(self, n):
        broken = self._faults
        if broken["sensor_open"]:
            return FULL * n
        if broken["sensor_short"]:
            return 0
        if broken["sensor_stuck"]:
            if not self._last_sum:
                mk = (self._sensor_q >> 10) - thermistor.FIRST_MC
                self._last_sum = TABLE[mk >> 9] * n // thermistor.FRACTION
            return self._last_sum
        self._z = z = MULTIPLIER * (self._z & DIGIT) + (self._z >> 15)
        temp_mc = self._sensor_q >> 10
        if broken["sensor_offset"]:
            temp_mc += faults.OFFSET_MC
        if broken["sensor_drift"]:
            temp_mc += (self._step() - self._drift_from) * faults.DRIFT_MC_PER_MIN // 600
        self._last_sum = total = _counts(temp_mc) * n + (GAUSS[z & GAUSS_LAST] * self._sigma >> 12) >> 6
        return total

    def sensor2_sum(self, n):
        """The second NTC of the block: same part, noise of its own; what befalls the first leaves it alone."""
        if self._faults["sensor2_open"]:
            return FULL * n
        if n != self._n2:
            self._n2 = n
            self._sigma2 = int(thermistor.NOISE_COUNTS * thermistor.FRACTION * sqrt(n))
        temp_mc = (self._sensor2_q if self._apart else self._sensor_q) >> 10
        return _counts(temp_mc) * n + self._noise2.gauss(self._sigma2) >> 6

    def monitor_sum(self, n):
        """The lamp monitor."""
        counts = lamp.MONITOR_DARK_COUNTS + (self._lamp_u16 * self._gain >> 14)
        total = counts * n + self._analog_noise(n)
        return 0 if total < 0 else FULL * n if total > FULL * n else total

    def supply_sum(self, n):
        """The supply voltage."""
        counts = SUPPLY_COUNTS * faults.VOLTAGE_LOW_PERCENT // 100 if self._faults["supply_low"] else SUPPLY_COUNTS
        return counts * n + self._analog_noise(n)

    def _analog_noise(self, n):
        if n != self._analog_n:
            self._analog_n = n
            self._analog_sigma = int(lamp.MONITOR_NOISE_COUNTS * sqrt(n))
        return self._analog.gauss(self._analog_sigma)

    # ---- light

    def expected(self, cell):
        """(dark, lit, noise of a lit reading) in counts that a probe pulse would give now; no light is spent. For a bench with pins."""
        sample = self._cells[cell]
        if self._signal_at[cell] != self._seconds:
            self._look_at(cell, sample)
        dark = luminescence.dark_counts(thermal.c_from_q(self._block_q))
        lit = dark + (self._excitation() * self._signal[cell] >> 14)
        return dark, lit, self._shot[cell] if sample is not None else luminescence.READ_NOISE_COUNTS

    def expected_monitor(self):
        """(dark, in a probe pulse, under the stress light at full duty, noise) of the lamp monitor in counts."""
        full = 0 if self._faults["lamp_dead"] else FULL * self._gain >> 14
        dark = lamp.MONITOR_DARK_COUNTS
        return dark, dark + self._excitation(), dark + full, lamp.MONITOR_NOISE_COUNTS

    def spend_probe(self, us):
        """The probe's LED has been on for `us`: its light falls on every cell."""
        for sample in self._cells:
            if sample is not None:
                sample.probe_nj_per_cm2 += self._excitation() * us // 1000

    def _excitation(self):
        """Irradiance of the probe's LED in uW/cm2."""
        return 0 if self._faults["lamp_dead"] else lamp.PROBE_DUTY_U16 * self._gain >> 14

    def probe_pulse(self, cell):
        """One excitation pulse on a cell: fills dark (just before), lit and monitor (in the pulse); its light ages the cell."""
        excitation = self._excitation()
        sample = self._cells[cell]
        if sample is not None:
            sample.probe_nj_per_cm2 += excitation * lamp.PULSE_US // 1000
        if self._signal_at[cell] != self._seconds:
            self._look_at(cell, sample)
        signal = excitation * self._signal[cell] >> 14
        draw = self._optics.gauss
        dark = luminescence.dark_counts(thermal.c_from_q(self._block_q))
        lit = dark + signal + draw(self._shot[cell] if signal else luminescence.READ_NOISE_COUNTS)
        dark += (self._lamp_u16 * self._gain >> 14) * self._signal[cell] >> 14  # stress light that was left on shines into the dark reading
        self.dark = _u16(dark + draw(luminescence.READ_NOISE_COUNTS))
        self.lit = _u16(lit)
        self.monitor = _u16(lamp.MONITOR_DARK_COUNTS + excitation + draw(lamp.MONITOR_NOISE_COUNTS))

    def _look_at(self, cell, sample):
        """Work out the cell's counts per 2**14 uW/cm2 of excitation, and its noise in a pulse, for the present second."""
        self._signal_at[cell] = self._seconds
        self._signal[cell] = 0
        if sample is not None:
            bright = sample.scale * sample.remnant(self._stress_mj) * luminescence.quenching(thermal.c_from_q(self._sample_q))
            self._signal[cell] = luminescence.signal_counts(1 << 14, bright)
        self._shot[cell] = luminescence.noise_counts(self._signal[cell] * (lamp.PROBE_DUTY_U16 * self._gain >> 14) >> 14)

    # ---- syringes

    def move_syringe(self, pump, steps):
        """The motor was sent signed steps (positive infuses); returns those it followed."""
        followed = self._syringes[pump].move(steps)
        if self._contacts:
            self._mix()
        return followed

    def _mix(self):
        """Volume fraction of each liquid: all filled cells get equal parts of what is dispensed, less what goes to waste first."""
        dosed = {}
        total_nl = SAMPLE_NL
        for (liquid, waste_nl), syringe in zip(self._liquids, self._syringes):
            nl = max(0, syringe.dispensed_nl() - waste_nl) // max(self._filled, 1)
            total_nl += nl
            dosed[liquid] = dosed.get(liquid, 0) + nl
        for liquid, contact in zip(LIQUIDS, self._contacts):
            contact.fraction_ppm = dosed.get(liquid, 0) * 1000000 // total_nl

    def pump_stalled(self, pump):
        """The stall output of the motor's driver."""
        return pump < len(self._syringes) and self._syringes[pump].stalled

    def syringe_volume_nl(self, pump):
        return self._syringes[pump].volume_nl()

    def dispensed_nl(self, pump):
        """Net liquid that has left the syringe."""
        return self._syringes[pump].dispensed_nl()

    # ---- faults

    def set_fault(self, name, value):
        """Break something, or mend it with False (plant/faults.py). Raises ValueError for an unknown name."""
        faults.check(name)
        broken = self._faults
        if name == "cold_cuvette" and bool(value) != broken[name]:
            self._cuvette_left = faults.CUVETTE_STEPS if value else 0
        if name == "sensor_drift" and value and not broken[name]:
            self._drift_from = self._step()
        broken[name] = bool(value)
        self._sensor_faulty = any([broken[one] for one in faults.OF_SENSOR])
        self._output_faulty = any([broken[one] for one in faults.OF_HEAT])
        if broken["lamp_dead"]:
            self._lamp_u16 = 0
        self.interlock_closed = not broken["interlock_open"]
        self.stop_pressed = broken["stop_pressed"]
        self.trigger_in = [broken["trigger_in_0"], broken["trigger_in_1"]]
        for i, syringe in enumerate(self._syringes[:2]):
            syringe.stalled = broken["pump_stall_0" if i == 0 else "pump_stall_1"]
        self._choose_way()

    def _fire(self, step):
        while self._due and self._due[0][0] <= step:
            _, name, value = self._due.pop(0)
            self.set_fault(name, value)
        self._choose_way()

    def set_ambient(self, ambient_c):
        """The room's temperature from now on. Raises ValueError."""
        if not -20 <= ambient_c <= 50:
            raise ValueError(f"ambient_c {ambient_c} is not within -20..50 degC")
        self._ambient_q = thermal.q_from_c(ambient_c)

    # ---- what outlasts a power cut

    def lasting(self):
        """State of block, samples and syringes as plain numbers: for a bench that goes on after its board was restarted."""
        return {
            "temps_q": [self._block_q, self._sample_q, self._sensor_q],
            "stress": [self._stress_mj, self._stress_rest],
            "aged": [[time.s, time.us] for time in self._times],
            "wetted": [[contact.s, contact.us] for contact in self._contacts],
            "switched": [0 if s is None else s.switched for s in self._cells],
            "probed_nj": [0 if s is None else s.probe_nj_per_cm2 for s in self._cells],
            "syringes": [s.position() for s in self._syringes],
        }

    def outlast(self, state, dark_s):
        """Take over `lasting()` of an earlier plant of the same scenario, then let `dark_s` seconds pass without power."""
        self._block_q, self._sample_q, self._sensor_q = state["temps_q"]
        self._stress_mj, self._stress_rest = state["stress"]
        for time, aged in zip(self._times, state["aged"]):
            time.s, time.us = aged
        for contact, wetted in zip(self._contacts, state["wetted"]):
            contact.s, contact.us = wetted
        for sample, probed_nj, switched in zip(self._cells, state["probed_nj"], state["switched"]):
            if sample is not None:
                sample.probe_nj_per_cm2 = probed_nj
                sample.switched = switched
        for syringe, position in zip(self._syringes, state["syringes"]):
            syringe.stand_at(position)
        if self._contacts:
            self._mix()
        due, self._due = self._due, []
        for _ in range(int(dark_s * 10)):
            self.advance(STEP_US, 0, 0)
        self._seconds, self._left, self._due = 0, 10, due
        self._signal_at = [-1] * CELLS

    # ---- for tests

    def truth(self):
        """What no instrument sees: temperatures in degC, remnant fractions, exposures; for tests, never for the firmware."""
        c = thermal.c_from_q
        cells = self._cells
        return {
            "time_s": self._seconds + (10 - self._left) / 10 + self._part_us / 1e6,
            "ambient_c": c(self._ambient_q),
            "block_c": c(self._block_q),
            "sample_c": c(self._sample_q),
            "sensor_c": c(self._sensor_q),
            "irradiance_uw_per_cm2": self._lamp_u16 * self._gain >> 14,
            "led_rise_c": self._lamp.rise_c(),
            "exposure_mj_per_cm2": self._stress_mj,
            "probe_exposure_uj_per_cm2": [s.probe_nj_per_cm2 / 1000 if s else 0.0 for s in cells],
            "models": [s.model if s else None for s in cells],
            "remnant": [s.remnant(self._stress_mj) if s else None for s in cells],
            "quenching": luminescence.quenching(c(self._sample_q)),
            "lost_steps": [s.lost_steps for s in self._syringes],
            "liquid_ppm": [contact.fraction_ppm for contact in self._contacts],
        }


def _liquids(told):
    """What the pumps hold, as ([(liquid, nL that go to waste first)] by pump, a Contact for each of LIQUIDS or none at all)."""
    liquids = [one if isinstance(one, list) else [one, 0] for one in told]
    ages = any([liquid in LIQUIDS for liquid, _ in liquids])
    return liquids, [Contact() for _ in LIQUIDS] if ages else []


def _fill(models, draw, contacts):
    """The cells of a scenario as (reduced times, samples); samples of one activation energy share a reduced time."""
    if len(models) > CELLS:
        raise ValueError(f"cells: {len(models)} named, the block holds {CELLS}")
    times, cells = {}, []
    for name in models:
        if name is None:
            cells.append(None)
            continue
        if name not in names():
            raise ValueError(f"cells: model '{name}' is unknown; there are: {', '.join(sorted(names()))}")
        ea = constants(name)[2]
        if ea not in times:
            times[ea] = ReducedTime(ea)
        cells.append(Sample(name, times[ea], 0.9 + 0.2 * draw.uniform() / 32767, contacts))
    cells.extend([None] * (CELLS - len(cells)))
    return [times[ea] for ea in sorted(times)], cells


def _counts(temp_mc):
    """Counts / 64 of one thermistor sample without noise, up to the table's end at 216 degC."""
    mk = min(temp_mc - thermistor.FIRST_MC, (thermistor.ENTRIES - 2) * thermistor.CELL_MC)
    low = TABLE[mk >> 9]
    return low + ((TABLE[(mk >> 9) + 1] - low) * (mk & 511) >> 9)


def _u16(counts):
    return 0 if counts < 0 else FULL if counts > FULL else counts
