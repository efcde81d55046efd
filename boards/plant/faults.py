"""What can be broken on purpose: the names, and a schedule of [t_s, name, value].

| name | effect |
|---|---|
| sensor_open, sensor_short | counts at the upper, lower rail |
| sensor_detached | the sensor cools to ambient (tau 8 s); the block goes on being heated |
| sensor_stuck | the last reading repeats to the count |
| heater_dead, heater_stuck_on | no power, full power, whatever the pin says |
| lamp_dead | no light, neither for stress nor for a probe |
| pump_stall_0, pump_stall_1 | the motor turns nothing, steps are lost |
| interlock_open, stop_pressed | the input changes |
"""

NAMES = (
    "sensor_open",
    "sensor_short",
    "sensor_detached",
    "sensor_stuck",
    "heater_dead",
    "heater_stuck_on",
    "lamp_dead",
    "pump_stall_0",
    "pump_stall_1",
    "interlock_open",
    "stop_pressed",
)


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
