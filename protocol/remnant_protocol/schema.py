"""The fields behind every number in `messages`: one table, read by the host, the tests and SPEC.md; a board need not load it.

A field is "name:type". Types: u8 u16 u32 i32 (integers, smallest msgpack form unless the row is TELEMETRY), bool, str, bin, map,
any (nil or integer), and a trailing `*` for "the rest of the array". Board time is the pair t_s (seconds since boot, u32) and t_us
(0..999999): two small integers, so a 32-bit board never makes a big one.
"""

from . import messages as m

_TIME = ("t_s:u32", "t_us:u32")

MESSAGES = {
    m.HELLO: ("HELLO", ("major:u8", "minor:u8", "host:str")),
    m.DESCRIBE: ("DESCRIBE", ("page:u8",)),
    m.PING: ("PING", ("token:u32",)),
    m.ACK: ("ACK", ("received_bytes:u16", "boot_id:u32", "committed_seq:u32")),
    m.COMMAND: ("COMMAND", ("id:u32", "op:u8", "args:*")),
    m.RESEND: ("RESEND", ("boot_id:u32", "from_seq:u32")),
    m.PAGE_KEPT: ("PAGE_KEPT", ("page:u32",)),
    m.WELCOME: (
        "WELCOME",
        (
            "major:u8",
            "minor:u8",
            "board:str",
            "uid:str",
            "firmware_hash:u32",
            "table_hash:u32",
            "boot_id:u32",
            "reset_cause:u8",
            "state:u8",
            "first_seq:u32",
            "next_seq:u32",
            "description_pages:u8",
            "simulated:bool",
            "history_pages:u16",
            "run_id:bin",
            "interrupted:bool",
        ),
    ),
    m.DESCRIPTION: ("DESCRIPTION", ("page:u8", "entries:map")),
    m.PONG: ("PONG", ("token:u32",) + _TIME),
    m.REPLY: ("REPLY", ("id:u32", "code:u16", "accepted:*")),
    m.HISTORY: ("HISTORY", ("page:u32", "boot_id:u32", "first_seq:u32", "last_seq:u32", "data:bin")),
    m.TELEMETRY: (
        "TELEMETRY",
        ("seq:u32",)
        + _TIME
        + (
            "state:u8",
            "step:u16",
            "setpoint_mc:i32",
            "temp_mc:i32",
            "heater_u16:u16",
            "lamp_u16:u16",
            "irradiance_uw_per_cm2:u32",
            "exposure_mj_per_cm2:u32",
            "tick_late_us_max:u32",
        ),
    ),
    m.EVENT: ("EVENT", ("seq:u32",) + _TIME + ("event:u8", "args:*")),
    m.EXECUTED: ("EXECUTED", ("seq:u32",) + _TIME + ("id:u32", "op:u8", "code:u16", "begun_s:u32", "begun_us:u32", "measured:*")),
    m.FAULT: (
        "FAULT",
        ("seq:u32",)
        + _TIME
        + ("code:u16", "value:i32", "limit:i32", "last_temp_mc:i32", "last_irradiance_uw_per_cm2:u32", "off_after_us:u32"),
    ),
    m.PROBE_READING: (
        "PROBE_READING",
        ("seq:u32",)
        + _TIME
        + ("probe:u16", "cell:u8", "temp_mc:i32", "probe_exposure_uj_per_cm2:u32", "dark:bin", "lit:bin", "monitor:bin"),
    ),
    m.PUMP_TELEMETRY: ("PUMP_TELEMETRY", ("seq:u32",) + _TIME + ("pump:u8", "steps:i32", "flow_nl_per_min:i32")),
    m.GAP: ("GAP", ("seq:u32",) + _TIME + ("first_lost:u32", "last_lost:u32")),
}

# arguments of COMMAND by op; the accepted values of a REPLY repeat the arguments as the board took them
COMMANDS = {
    m.STATUS: ("STATUS", ()),
    m.PROGRAM_BEGIN: ("PROGRAM_BEGIN", ("size:u16", "crc32:u32")),
    m.PROGRAM_DATA: ("PROGRAM_DATA", ("offset:u16", "data:bin")),
    m.PROGRAM_COMMIT: ("PROGRAM_COMMIT", ()),
    m.START: ("START", ("run_id:bin",)),
    m.STOP: ("STOP", ()),
    m.CUT: ("CUT", ()),
    m.PAUSE: ("PAUSE", ()),
    m.RESUME: ("RESUME", ()),
    m.CLEAR: ("CLEAR", ()),
    m.CONTINUE: ("CONTINUE", ()),
    m.SETTING: ("SETTING", ("key:u8", "value:i32")),
    m.RESUME_RUN: ("RESUME_RUN", ("run_id:bin", "dark_s:u32", "exposure_mj_per_cm2:u32")),
    m.DISCARD_RUN: ("DISCARD_RUN", ()),
    m.CALIBRATE: ("CALIBRATE", ()),
    m.HEATER: ("HEATER", ("setpoint_mc:any", "ramp_mc_per_min:u32")),
    m.LAMP: ("LAMP", ("irradiance_uw_per_cm2:u32",)),
    m.FLOW: ("FLOW", ("pump:u8", "flow_nl_per_min:i32")),
    m.DISPENSE: ("DISPENSE", ("pump:u8", "volume_nl:i32", "flow_nl_per_min:u32", "wait:bool")),
    m.PROBE: ("PROBE", ("probe:u16", "pulses:u8", "cells_mask:u8")),
}

# arguments of EVENT by event
EVENTS = {
    m.BOOTED: ("booted", ("reset_cause:u8", "previous_boot_id:u32", "previous_seq:u32")),
    m.RUN_STARTED: ("run_started", ("run_id:bin",)),
    m.RUN_ENDED: ("run_ended", ("by:u8", "code:u16")),
    m.STEP_BEGAN: ("step_began", ("step:u16", "iteration:u16")),
    m.STEP_ENDED: ("step_ended", ("step:u16", "iteration:u16")),
    m.OUTPUTS_OFF: ("outputs_off", ("by:u8", "heater_u16:u16", "lamp_u16:u16", "pumps_moving:u8", "off_after_us:u32")),
    m.STATE_CHANGED: ("state_changed", ("from_state:u8", "to_state:u8")),
    m.MARKED: ("marked", ("mark:u16",)),
    m.CLEARED: ("cleared", ("code:u16",)),
    m.WAIT_TIMED_OUT: ("wait_timed_out", ("condition:u8", "value:i32")),
    m.PERIOD_MISSED: ("period_missed", ("missed:u16",)),
    m.OPERATOR_WANTED: ("operator_wanted", ("prompt:u16",)),
    m.CONDITION_MET: ("condition_met", ("condition:u8", "value:i32")),
    m.TRIGGERED: ("triggered", ("channel:u8", "duration_ms:u32")),
    m.RUN_INTERRUPTED: ("run_interrupted", ("run_id:bin", "step:u16")),
    m.RUN_RESUMED: ("run_resumed", ("run_id:bin", "dark_s:u32", "exposure_mj_per_cm2:u32", "step:u16")),
    m.HOST_LOST: ("host_lost", ("policy:u8", "silent_s:u32")),
    m.LEASE_LAPSED: ("lease_lapsed", ("output:u8",)),
    m.PUMP_FAILED: ("pump_failed", ("code:u16", "pump:u8", "steps:i32")),
    m.MODEL_CALIBRATED: ("model_calibrated", ("gain_mk:u32", "tau_ms:u32", "dead_ms:u32", "ambient_mc:i32")),
    m.OPERATOR_ANSWERED: ("operator_answered", ("prompt:u16",)),
    m.TRIGGER_ENDED: ("trigger_ended", ("channel:u8", "left_ms:u32")),
}


def table_text():
    """Every number and its fields as one canonical text; messages.TABLE_HASH is its CRC-32."""
    lines = []
    for title, table in (("message", MESSAGES), ("command", COMMANDS), ("event", EVENTS)):
        for number in sorted(table):
            name, fields = table[number]
            lines.append("%s %d %s(%s)" % (title, number, name, ", ".join(fields)))
    return "\n".join(lines) + "\n"


def table_hash():
    """CRC-32 of `table_text`; host and board compare it in WELCOME."""
    from binascii import crc32

    return crc32(table_text().encode()) & 0xFFFFFFFF
