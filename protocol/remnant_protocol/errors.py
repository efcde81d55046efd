"""One table of errors: code, name, what it says, what to do next. 1xx link, 2xx pump, 3xx heat, 4xx light, 5xx storage, 6xx plan
and program, 7xx rig and operator. Codes are never reused (SPEC.md section 9)."""

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


OK = const(0)

PORT_NOT_FOUND = const(101)
PORT_NOT_A_RIG = const(102)
PROTOCOL_MISMATCH = const(103)
BOARD_LOST = const(104)
FRAME_TOO_LARGE = const(105)
UNKNOWN_COMMAND = const(106)
BAD_ARGUMENTS = const(107)
TABLE_MISMATCH = const(108)
NO_ANSWER = const(109)
PUMP_UNKNOWN = const(201)
PUMP_FLOW_LIMIT = const(202)
PUMP_NOT_CALIBRATED = const(203)
PUMP_STALLED = const(204)
PUMP_TRAVEL_END = const(205)
PUMP_BUSY = const(206)
SENSOR_OPEN = const(301)
SENSOR_SHORT = const(302)
SENSOR_STALE = const(303)
SENSOR_SLOPE = const(304)
OVER_TEMPERATURE = const(305)
SETPOINT_LIMIT = const(306)
RAMP_LIMIT = const(307)
HEATER_DEAD = const(308)
SENSOR_DETACHED = const(309)
HEATER_STUCK_ON = const(310)
SENSORS_DISAGREE = const(311)
HEATER_OVERSHOOT = const(312)
MODEL_IMPLAUSIBLE = const(313)
IRRADIANCE_LIMIT = const(401)
LAMP_NOT_LIT = const(402)
PROBE_LIMIT = const(403)
PROBE_BUSY = const(404)
CELL_UNKNOWN = const(405)
STORE_FULL = const(501)
STORE_CORRUPT = const(502)
JOURNAL_FAILED = const(503)
PROGRAM_TOO_LARGE = const(601)
PROGRAM_CORRUPT = const(602)
PROGRAM_VERSION = const(603)
PROGRAM_INVALID = const(604)
PROGRAM_MISSING = const(605)
PLAN_INVALID = const(606)
WAIT_TIMEOUT = const(607)
NESTING_LIMIT = const(608)
RESUME_WINDOW = const(609)
RESUME_NOTHING = const(610)
INTERLOCK_OPEN = const(701)
STOP_PRESSED = const(702)
WRONG_STATE = const(703)
CAUSE_REMAINS = const(704)
TASK_FAILED = const(705)
SETTING_UNKNOWN = const(706)
SETTING_RANGE = const(707)
TICK_LATE = const(708)
NOT_STARTED = const(709)
SUPERSEDED = const(710)
BOARD_UNKNOWN = const(711)
FIRMWARE_BUILD = const(712)
EMULATOR_MISSING = const(713)
WRONG_CHIP = const(714)
PIN_CONFLICT = const(715)
RUN_WAITS = const(716)


class RigError(Exception):
    """Root of every error of the project: a code of this table and the facts behind it.

    `where`, `value` and `limit` may be None. On the board only the code crosses the line; the host finds the words in `error_words`.
    """

    def __init__(self, code, where=None, value=None, limit=None, text=None):
        super().__init__(code)
        self.code = code
        self.where = where
        self.value = value
        self.limit = limit
        self.text = text

    @property
    def subsystem(self):
        return SUBSYSTEMS[self.code // 100]


SUBSYSTEMS = ("ok", "link", "pump", "heater", "lamp", "storage", "plan", "rig")
