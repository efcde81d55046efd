"""The board program: a tree of few operations as positional msgpack arrays (SPEC.md section 8).

    [VERSION, telemetry_ms, cells_mask, [heater_on_fault, lamp_on_fault, pumps_on_fault], [host_lost, host_lost_s], [operation, ...]]

    [HEATER, setpoint_mc | nil, ramp_mc_per_min]        ramp 0: the setpoint jumps
    [LAMP, irradiance_uw_per_cm2]                       0: off
    [FLOW, pump, flow_nl_per_min]                       negative withdraws, 0 stops
    [DISPENSE, pump, volume_nl, flow_nl_per_min, wait]  negative volume withdraws
    [PROBE, probe, pulses, cells_mask]
    [WAIT, condition, timeout_ms, on_timeout]           timeout 0: none
    [REPEAT, count, [operation, ...]]
    [EVERY, period_ms, [condition, ...], [operation, ...]]   body at 0, period, 2 period ... until any condition is met
    [STEP, step, [operation, ...]]                      journals its beginning and its end
    [MARK, mark]
    [TRIGGER, channel, duration_ms]

A condition is [kind, ...]; times, exposures and volumes count from the moment the WAIT or EVERY began.
"""

from .errors import RigError
from .messages import DISPENSE, FLOW, HEATER, LAMP, PROBE

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


VERSION = const(1)

WAIT = const(32)
REPEAT = const(33)
EVERY = const(34)
STEP = const(35)
MARK = const(36)
TRIGGER = const(37)

# kinds of condition
DURATION = const(1)  # [DURATION, ms]
TEMPERATURE = const(2)  # [TEMPERATURE, target_mc, band_mc, hold_ms]: inside target +- band for hold_ms without a break
EXPOSURE = const(3)  # [EXPOSURE, mj_per_cm2] added since
PUMPS_DONE = const(4)  # [PUMPS_DONE, pumps_mask]
TRIGGER_IN = const(5)  # [TRIGGER_IN, channel]
OPERATOR = const(6)  # [OPERATOR, prompt]
REMNANT_BELOW = const(7)  # [REMNANT_BELOW, cell, permille, probe]: last signal of the cell over its signal in `probe`
RAMP_DONE = const(8)  # [RAMP_DONE]: the setpoint has reached its target

# on_timeout
TIMEOUT_FAULT = const(0)
TIMEOUT_GO_ON = const(1)

# on fault, per output
FAULT_OFF = const(0)
FAULT_KEEP = const(1)

# host lost
HOST_LOST_CONTINUE = const(0)
HOST_LOST_HOLD = const(1)
HOST_LOST_STOP = const(2)

NESTING_MAX = const(8)  # blocks within blocks; the executor's stack is built once
