"""What can be broken on purpose: the names, and a schedule of [t_s, name, value].

| name | effect |
|---|---|
| sensor_open, sensor_short | counts at the upper, lower rail |
| sensor_detached | the sensor cools to ambient (tau 8 s); the block goes on being heated |
| sensor_stuck | the last reading repeats to the count |
| sensor_drift, sensor_offset | the first sensor reads 0.1 K more every minute, 5 K more at once |
| sensor2_open | counts of the second sensor at the upper rail |
| heater_dead, heater_stuck_on | no power, full power, whatever the pin says (master_on False: none in any case) |
| supply_low | 85 % of the supply voltage: 72 % of the heater's power |
| lid_open | the block loses twice as much heat |
| cold_cuvette | once: 300 J out of the block over 20 s, then it ends by itself (5 K of a block of 60 J/K) |
| lamp_dead | no light, neither for stress nor for a probe |
| pump_stall_0, pump_stall_1 | the motor turns nothing, steps are lost |
| interlock_open, stop_pressed | the input changes |
| trigger_in_0, trigger_in_1 | something outside makes the trigger input active; nothing is broken |
"""

NAMES = (
    "sensor_open",
    "sensor_short",
    "sensor_detached",
    "sensor_stuck",
    "sensor_drift",
    "sensor_offset",
    "sensor2_open",
    "heater_dead",
    "heater_stuck_on",
    "supply_low",
    "lid_open",
    "cold_cuvette",
    "lamp_dead",
    "pump_stall_0",
    "pump_stall_1",
    "interlock_open",
    "stop_pressed",
    "trigger_in_0",
    "trigger_in_1",
)
OF_SENSOR = ("sensor_open", "sensor_short", "sensor_stuck", "sensor_drift", "sensor_offset")  # what changes the first sensor's reading
OF_HEAT = ("heater_dead", "heater_stuck_on", "lamp_dead", "sensor_detached", "supply_low", "lid_open", "cold_cuvette")

VOLTAGE_LOW_PERCENT = 85
SUPPLY_LOW_PERCENT = 72  # of the heater's power, 0.85 squared
OFFSET_MC = 5000
DRIFT_MC_PER_MIN = 100
CUVETTE_STEPS = 200
CUVETTE_U16 = 40959  # 15 W of the heater's 24 W, taken out of the block in each of these steps


def check(name):
    """Raises ValueError for a name that is not in the table."""
    if name not in NAMES:
        raise ValueError(f"fault '{name}' is unknown; there are: {', '.join(NAMES)}")


def schedule(entries):
    """[[t_s, name, value], ...] as a list of (step, name, value), earliest first; a step is 100 ms. Raises ValueError."""
    due = []
    for i, (t_s, name, value) in enumerate(entries):
        check(name)
        due.append((int(t_s * 10 + 0.5), i, name, value))
    due.sort(key=lambda entry: (entry[0], entry[1]))  # MicroPython's sort is not stable
    return [(step, name, value) for step, _, name, value in due]
