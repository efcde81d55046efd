"""What a board says of itself: the WELCOME and the pages of its DESCRIPTION."""

import gc

from remnant_protocol import messages as m

PAGES = 4
_OF_PUMPS = ("pl_per_turn", "steps_per_turn", "syringe_nl", "backlash_steps", "accel_steps_per_s2")


def welcome(rig):
    """Fields of WELCOME, in the order of the schema."""
    identity = rig.hal.identity
    return (
        m.WELCOME,
        m.PROTOCOL_MAJOR,
        m.PROTOCOL_MINOR,
        identity.board,
        identity.uid,
        identity.firmware_hash,
        m.TABLE_HASH,
        identity.boot_id,
        identity.reset_cause,
        rig.state,
        rig.journal.oldest_seq,
        rig.journal.next_seq,
        PAGES,
        identity.simulated,
        rig.history.pages_waiting,
        rig.run_id or b"",
        rig.interrupted is not None,
    )


def description(rig, page):
    """Page 0: limits (split over 0 and 1 to fit a frame), page 1: the rest of them and capabilities, page 2: scales,
    page 3: of each pump how steps become volume (settings; a list each)."""
    limits = rig.limits
    if page == 0:
        return {key: limits[key] for key in sorted(limits)[:6]}
    if page == 1:
        entries = {key: limits[key] for key in sorted(limits)[6:]}
        entries["lamp_nm"] = rig.hal.lamp_nm
        return entries
    settings = rig.settings
    if page == 3:
        return {"pump_" + name: [settings["pump%d_%s" % (i, name)] for i in range(limits["pumps"])] for name in _OF_PUMPS}
    return {
        "monitor_dark_u16": settings["monitor_dark_counts"],
        "monitor_uw_per_cm2_per_count_q10": settings["monitor_uw_per_cm2_per_count_q10"],
        "probe_pulse_us": rig.hal.optics.PULSE_US,
        "heap_free_bytes": gc.mem_free() if hasattr(gc, "mem_free") else 0,
    }
