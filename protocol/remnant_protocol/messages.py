"""Numbers of every message, command, event and state on the line (SPEC.md sections 4 to 7).

Constants only, so that a board pays nothing for them; the fields behind each number are written down once, in `schema`.
"""

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


PROTOCOL_MAJOR = const(1)  # a different major number is refused
PROTOCOL_MINOR = const(2)  # a higher minor number only adds
TABLE_HASH = const(0xC346E6C2)  # CRC-32 of schema.table_text(); both sides must have the same

# host -> board
HELLO = const(1)
DESCRIBE = const(2)
PING = const(3)
ACK = const(4)
COMMAND = const(5)
RESEND = const(6)
PAGE_KEPT = const(7)

# board -> host, answers: not journalled
WELCOME = const(32)
DESCRIPTION = const(33)
PONG = const(34)
REPLY = const(35)
HISTORY = const(36)  # records from flash, packed: they are acknowledged by page

# board -> host, journal records: numbered, kept until acknowledged
TELEMETRY = const(64)
EVENT = const(65)
EXECUTED = const(66)
FAULT = const(67)
PROBE_READING = const(68)
PUMP_TELEMETRY = const(69)
GAP = const(70)

# operations of a COMMAND; 16 and above are also program operations
STATUS = const(0)
PROGRAM_BEGIN = const(1)
PROGRAM_DATA = const(2)
PROGRAM_COMMIT = const(3)
START = const(4)
STOP = const(5)
CUT = const(6)
PAUSE = const(7)
RESUME = const(8)
CLEAR = const(9)
CONTINUE = const(10)
SETTING = const(11)
RESUME_RUN = const(12)
DISCARD_RUN = const(13)
CALIBRATE = const(14)

# operations that drive an output: the same number and arguments by hand and in a program
HEATER = const(16)
LAMP = const(17)
FLOW = const(18)
DISPENSE = const(19)
PROBE = const(20)

# rig states
STARTING = const(0)  # no valid sensor reading yet: nothing can be switched on
READY = const(1)
RUNNING = const(2)
PAUSED = const(3)
FAULTED = const(4)

# what an EVENT tells
BOOTED = const(1)
RUN_STARTED = const(2)
RUN_ENDED = const(3)
STEP_BEGAN = const(4)
STEP_ENDED = const(5)
OUTPUTS_OFF = const(6)
STATE_CHANGED = const(7)
MARKED = const(8)
CLEARED = const(9)
WAIT_TIMED_OUT = const(10)
PERIOD_MISSED = const(11)
OPERATOR_WANTED = const(12)
CONDITION_MET = const(13)
TRIGGERED = const(14)
RUN_INTERRUPTED = const(15)
RUN_RESUMED = const(16)
HOST_LOST = const(17)
LEASE_LAPSED = const(18)
PUMP_FAILED = const(19)
MODEL_CALIBRATED = const(20)
OPERATOR_ANSWERED = const(21)
TRIGGER_ENDED = const(22)

# how a run ended (RUN_ENDED) and why outputs went off (OUTPUTS_OFF)
BY_COMPLETION = const(0)
BY_STOP = const(1)
BY_CUT = const(2)
BY_FAULT = const(3)
BY_RESET = const(4)
BY_HOST_LOST = const(5)  # outputs driven by hand, and nobody there any more
