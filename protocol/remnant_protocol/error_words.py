"""What each code of `errors` says and what to do next: name, sentence, hint. The host shows them; a board need not load this file.

In a sentence {where}, {value} and {limit} are the facts of the RigError; integers from the board are in the units of the wire.
"""

from . import errors as e

WORDS = {
    e.OK: ("OK", "all is well", ""),
    e.PORT_NOT_FOUND: ("PORT_NOT_FOUND", "there is no port {where}", "Plug the board in and see `remnant list ports`."),
    e.PORT_NOT_A_RIG: (
        "PORT_NOT_A_RIG",
        "what is on {where} does not answer as a rig",
        "Check that this is the right port (`remnant list ports`) and that the board runs the Remnant firmware.",
    ),
    e.PROTOCOL_MISMATCH: (
        "PROTOCOL_MISMATCH",
        "the board speaks protocol {value}, this host speaks {limit}",
        "Use the version of remnant that belongs to the board's firmware, or flash the board with the firmware of this version.",
    ),
    e.BOARD_LOST: (
        "BOARD_LOST",
        "the board on {where} has gone",
        "Its outputs go off by themselves. Check cable and power; what was recorded is in the run folder.",
    ),
    e.FRAME_TOO_LARGE: ("FRAME_TOO_LARGE", "a frame of {value} bytes is over the limit of {limit}", "Send smaller pieces."),
    e.UNKNOWN_COMMAND: ("UNKNOWN_COMMAND", "the board does not know command {value}", "Flash the board with the firmware of this version."),
    e.BAD_ARGUMENTS: ("BAD_ARGUMENTS", "the arguments of the message do not fit", "See the message table in protocol/SPEC.md."),
    e.TABLE_MISMATCH: (
        "TABLE_MISMATCH",
        "the board's message table {value} is not this host's {limit}",
        "Flash the board with the firmware of this version.",
    ),
    e.NO_ANSWER: ("NO_ANSWER", "the board on {where} did not answer within {limit} s", "Check the cable; then try again."),
    e.PUMP_UNKNOWN: ("PUMP_UNKNOWN", "there is no pump {value}; the board has {limit}", "Use a pump number from 0 on."),
    e.PUMP_FLOW_LIMIT: (
        "PUMP_FLOW_LIMIT",
        "a flow of {value} nL/min is over the limit of {limit} nL/min",
        "Lower the flow or fit a larger syringe.",
    ),
    e.PUMP_NOT_CALIBRATED: ("PUMP_NOT_CALIBRATED", "the pump has no volume per turn", "Set the syringe's diameter and lead."),
    e.PUMP_STALLED: ("PUMP_STALLED", "the pump has stalled", "Look for a blocked line or an end of travel, then clear the fault."),
    e.PUMP_TRAVEL_END: (
        "PUMP_TRAVEL_END",
        "{value} nL are asked for and {limit} nL are left in the syringe",
        "Refill the syringe or ask for less.",
    ),
    e.PUMP_BUSY: ("PUMP_BUSY", "the pump is still moving", "Wait until it is done, or stop it."),
    e.SENSOR_OPEN: (
        "SENSOR_OPEN",
        "temperature sensor open (ADC {value}, above {limit}). Everything is off",
        "Check the sensor's plug and wire, then clear the fault.",
    ),
    e.SENSOR_SHORT: (
        "SENSOR_SHORT",
        "temperature sensor shorted (ADC {value}, below {limit}). Everything is off",
        "Check the sensor's wire, then clear the fault.",
    ),
    e.SENSOR_STALE: (
        "SENSOR_STALE",
        "temperature sensor repeats one reading ({value} times, limit {limit}). Everything is off",
        "Check the sensor and its converter, then clear the fault.",
    ),
    e.SENSOR_SLOPE: (
        "SENSOR_SLOPE",
        "temperature changes by {value} mdegC/s, more than the {limit} mdegC/s a block can. Everything is off",
        "Check the sensor's contact and wire, then clear the fault.",
    ),
    e.OVER_TEMPERATURE: (
        "OVER_TEMPERATURE",
        "temperature {value} mdegC is over the cut-off of {limit} mdegC. Everything is off",
        "Let the block cool by 5 degC and find out why it went so hot before you clear the fault.",
    ),
    e.SETPOINT_LIMIT: (
        "SETPOINT_LIMIT",
        "a setpoint of {value} mdegC is beyond the board's {limit} mdegC",
        "Ask for a temperature within it.",
    ),
    e.RAMP_LIMIT: ("RAMP_LIMIT", "a ramp of {value} mdegC/min is beyond the board's {limit} mdegC/min", "Ask for a slower ramp."),
    e.HEATER_DEAD: (
        "HEATER_DEAD",
        "the heater is driven and the block stays {value} mdegC behind what it must reach (limit {limit} mdegC). Everything is off",
        "Check the heater's wires, fuse and supply, then clear the fault.",
    ),
    e.SENSOR_DETACHED: (
        "SENSOR_DETACHED",
        "the reading falls faster than the block can cool ({value} mdegC off, limit {limit} mdegC). Everything is off",
        "Put the temperature sensor back on the block, then clear the fault.",
    ),
    e.HEATER_STUCK_ON: (
        "HEATER_STUCK_ON",
        "the block is {value} mdegC above what the heater was asked for (limit {limit} mdegC). The supply of heater and lamp is cut",
        "Unplug the heater's supply and replace its switch before you clear the fault.",
    ),
    e.SENSORS_DISAGREE: (
        "SENSORS_DISAGREE",
        "the two block sensors differ by {value} mdegC, more than {limit} mdegC. Everything is off",
        "Check both sensors' contact and their settings, then clear the fault.",
    ),
    e.HEATER_OVERSHOOT: (
        "HEATER_OVERSHOOT",
        "temperature is {value} mdegC above its setpoint, more than {limit} mdegC. Everything is off",
        "Look for what heats the block, or calibrate the thermal model, then clear the fault.",
    ),
    e.MODEL_IMPLAUSIBLE: (
        "MODEL_IMPLAUSIBLE",
        "calibration of the thermal model found {value}, which no block has (limit {limit})",
        "Check heater and sensor; then calibrate again from rest.",
    ),
    e.IRRADIANCE_LIMIT: (
        "IRRADIANCE_LIMIT",
        "an irradiance of {value} uW/cm2 is beyond the board's {limit} uW/cm2",
        "Ask for less and expose longer.",
    ),
    e.LAMP_NOT_LIT: (
        "LAMP_NOT_LIT",
        "the monitor sees {value} uW/cm2, less than {limit} uW/cm2, though the lamp is on. Everything is off",
        "Check the LED, its driver and the monitor photodiode, then clear the fault.",
    ),
    e.PROBE_LIMIT: ("PROBE_LIMIT", "{value} pulses are beyond the board's {limit}", "Use from 1 pulse up to the limit."),
    e.PROBE_BUSY: ("PROBE_BUSY", "a probe is still going on", "Wait until it is done."),
    e.CELL_UNKNOWN: ("CELL_UNKNOWN", "cell mask {value} is not of this board (limit {limit})", "Name cells that the board has."),
    e.STORE_FULL: ("STORE_FULL", "the store is full", "Make room and try again."),
    e.STORE_CORRUPT: ("STORE_CORRUPT", "what is stored at {where} is damaged", "Use another copy."),
    e.JOURNAL_FAILED: (
        "JOURNAL_FAILED",
        "records cannot be written to {where}",
        "Make room on the disk; the board keeps its records until then.",
    ),
    e.PROGRAM_TOO_LARGE: (
        "PROGRAM_TOO_LARGE",
        "the program takes {value} bytes and the board keeps {limit}",
        "Use repeat instead of writing steps out.",
    ),
    e.PROGRAM_CORRUPT: ("PROGRAM_CORRUPT", "the program arrived damaged", "Send it again."),
    e.PROGRAM_VERSION: (
        "PROGRAM_VERSION",
        "the program is of version {value}, the board runs version {limit}",
        "Flash the board with the firmware of this version.",
    ),
    e.PROGRAM_INVALID: (
        "PROGRAM_INVALID",
        "the board cannot run the program (at {where}, value {value}, limit {limit})",
        "Correct the plan.",
    ),
    e.PROGRAM_MISSING: ("PROGRAM_MISSING", "the board has no program", "Run a plan."),
    e.PLAN_INVALID: ("PLAN_INVALID", "the plan {where} cannot be run", "Correct it; `remnant check` tells everything at once."),
    e.WAIT_TIMEOUT: (
        "WAIT_TIMEOUT",
        "a step waited {limit} ms in vain (condition {value}). Everything is off",
        "Look at temperature and light in the report: the rig did not reach what the step waited for.",
    ),
    e.NESTING_LIMIT: ("NESTING_LIMIT", "blocks are nested {value} deep, at most {limit}", "Take one level out."),
    e.RESUME_WINDOW: (
        "RESUME_WINDOW",
        "the run was interrupted {value} s ago and its plan allows to resume within {limit} s",
        "Start the run anew; what was recorded stays in its folder.",
    ),
    e.RESUME_NOTHING: ("RESUME_NOTHING", "there is no interrupted run of this name to resume", "See `remnant status`."),
    e.INTERLOCK_OPEN: ("INTERLOCK_OPEN", "the interlock is open. Everything is off", "Close the cover, then clear the fault."),
    e.STOP_PRESSED: ("STOP_PRESSED", "the stop button is pressed. Everything is off", "Release it, then clear the fault."),
    e.WRONG_STATE: ("WRONG_STATE", "the rig cannot do this now (state {value})", "Wait until it is ready, or stop what is running."),
    e.CAUSE_REMAINS: ("CAUSE_REMAINS", "the cause of the fault is still there (code {value})", "Remove it, then clear again."),
    e.TASK_FAILED: ("TASK_FAILED", "a part of the firmware failed. Everything is off", "Restart the board and report what it was doing."),
    e.SETTING_UNKNOWN: ("SETTING_UNKNOWN", "the board has no setting {value}", "See firmware/rig/settings.py."),
    e.SETTING_RANGE: ("SETTING_RANGE", "the value {value} of a setting is outside its range (limit {limit})", "Use a value inside it."),
    e.TICK_LATE: ("TICK_LATE", "a control tick came {value} us late, limit {limit} us", "Report what the board was doing."),
    e.NOT_STARTED: ("NOT_STARTED", "the virtual board did not start: {where}", "See its log."),
    e.SUPERSEDED: ("SUPERSEDED", "a newer command for the same output took its place", "Nothing to do: the newer one holds."),
    e.BOARD_UNKNOWN: ("BOARD_UNKNOWN", "there are no pins and limits for a board {where}; there are: {limit}", "Name one of them."),
    e.FIRMWARE_BUILD: ("FIRMWARE_BUILD", "{where} cannot be compiled: {value}", "Correct the file; then try again."),
    e.EMULATOR_MISSING: ("EMULATOR_MISSING", "the emulated board cannot start: {where}", "See tests/emulator/README.md."),
    e.WRONG_CHIP: (
        "WRONG_CHIP",
        "board.py is for {where} and this chip is another one",
        "Flash the board with the files of its own folder in boards/.",
    ),
    e.PIN_CONFLICT: ("PIN_CONFLICT", "pin {value} is used twice, for {where}", "Give each its own pin in board.py."),
    e.RUN_WAITS: (
        "RUN_WAITS",
        "the board still has a run that was interrupted and may be taken up again ({where}); a new run would give it up",
        "`remnant resume` goes on with it, `remnant run --give-up` begins the new one.",
    ),
}
