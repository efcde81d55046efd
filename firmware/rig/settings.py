"""Settings of one rig: what calibration and wiring decide. Each has a key on the wire, a unit, a range and a default.

A value is kept only inside its range, and board limits (board.py) are not settings: nothing a host says widens them.
"""

from micropython import const

from remnant_protocol import codec
from remnant_protocol.errors import SETTING_RANGE, SETTING_UNKNOWN, RigError

_NAME = const("settings")

# key: (name, default, lowest, highest)
TABLE = {
    1: ("heater_kp_u16_per_k", 8000, 0, 10000),
    2: ("heater_ki_u16_per_k_s", 100, 0, 2000),
    3: ("heater_kd_u16_s_per_k", 0, 0, 20000),
    4: ("heater_ff_u16_per_k_per_min", 2700, 0, 20000),
    5: ("ntc_r25_ohm", 10000, 100, 1000000),
    6: ("ntc_beta_k", 3950, 1000, 6000),
    7: ("ntc_pullup_ohm", 4700, 100, 1000000),
    8: ("ntc_sh_a_e12", 0, -(1 << 30), (1 << 30) - 1),  # Steinhart-Hart coefficients x 1e12 / 1e13 / 1e16; all 0: beta equation
    9: ("ntc_sh_b_e13", 0, -(1 << 30), (1 << 30) - 1),
    10: ("ntc_sh_c_e16", 0, -(1 << 30), (1 << 30) - 1),
    11: ("sensor_offset_mc", 0, -10000, 10000),
    12: ("lamp_full_uw_per_cm2", 50000, 100, 1000000),
    13: ("monitor_uw_per_cm2_per_count_q10", 1024, 1, 1 << 16),
    14: ("monitor_dark_counts", 200, 0, 20000),
    15: ("slope_max_mc_per_s", 5000, 500, 50000),
    32: ("pump0_pl_per_turn", 1121483000, 0, (1 << 31) - 1),  # 26.72 mm syringe (60 mL), lead 2 mm
    33: ("pump0_syringe_nl", 60000000, 0, 1 << 30),
    34: ("pump0_steps_per_turn", 3200, 200, 51200),
    35: ("pump0_accel_steps_per_s2", 20000, 10, 1000000),
    36: ("pump0_backlash_steps", 40, 0, 20000),
    40: ("pump1_pl_per_turn", 330260000, 0, (1 << 31) - 1),  # 14.50 mm syringe (10 mL), lead 2 mm
    41: ("pump1_syringe_nl", 10000000, 0, 1 << 30),
    42: ("pump1_steps_per_turn", 3200, 200, 51200),
    43: ("pump1_accel_steps_per_s2", 20000, 10, 1000000),
    44: ("pump1_backlash_steps", 40, 0, 20000),
    48: ("pump2_pl_per_turn", 0, 0, (1 << 31) - 1),  # not calibrated
    49: ("pump2_syringe_nl", 0, 0, 1 << 30),
    50: ("pump2_steps_per_turn", 3200, 200, 51200),
    51: ("pump2_accel_steps_per_s2", 20000, 10, 1000000),
    52: ("pump2_backlash_steps", 40, 0, 20000),
    56: ("pump3_pl_per_turn", 0, 0, (1 << 31) - 1),
    57: ("pump3_syringe_nl", 0, 0, 1 << 30),
    58: ("pump3_steps_per_turn", 3200, 200, 51200),
    59: ("pump3_accel_steps_per_s2", 20000, 10, 1000000),
    60: ("pump3_backlash_steps", 40, 0, 20000),
    64: ("model_gain_mk", 120000, 20000, 500000),  # steady rise of the block at full duty
    65: ("model_tau_ms", 300000, 60000, 3600000),
    66: ("model_dead_ms", 3000, 0, 15000),
    67: ("model_ambient_mc", 22000, -20000, 60000),
    68: ("model_margin_pct", 200, 100, 400),  # 100 once it has been calibrated on this rig
    70: ("sensor2_fitted", 0, 0, 1),
    71: ("sensors_differ_max_mc", 3000, 500, 20000),
}


_MODEL = ("model_gain_mk", "model_tau_ms", "model_dead_ms", "model_ambient_mc", "model_margin_pct")


class Settings:
    """Values by name as attributes of `values`; `put` checks, keeps and stores."""

    def __init__(self, store):
        self._store = store
        self.values = {row[0]: row[1] for row in TABLE.values()}
        kept = store.load(_NAME)
        if kept:
            try:
                pairs = codec.decode(kept, 0, len(kept))
            except RigError:
                pairs = None
            for key, value in pairs.items() if isinstance(pairs, dict) else ():
                if key in TABLE and isinstance(value, int) and TABLE[key][2] <= value <= TABLE[key][3]:
                    self.values[TABLE[key][0]] = value

    def __getitem__(self, name):
        return self.values[name]

    def put(self, key, value):
        """Keep a value. Raises RigError(SETTING_UNKNOWN | SETTING_RANGE)."""
        row = TABLE.get(key)
        if row is None:
            raise RigError(SETTING_UNKNOWN, value=key)
        if not isinstance(value, int) or isinstance(value, bool) or not row[2] <= value <= row[3]:
            raise RigError(SETTING_RANGE, where=row[0], value=value, limit=row[3])
        self.values[row[0]] = value
        self._save()
        return value

    def put_model(self, gain_mk, tau_ms, dead_ms, ambient_mc):
        """Keep a calibration of the thermal model; its margins are narrow from now on."""
        for name, value in zip(_MODEL, (gain_mk, tau_ms, dead_ms, ambient_mc, 100)):
            self.values[name] = value
        self._save()

    def _save(self):
        self._store.save(_NAME, codec.encode({k: self.values[r[0]] for k, r in TABLE.items() if self.values[r[0]] != r[1]}))
