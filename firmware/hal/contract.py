"""What the rig needs of a board: one small class per capability. hal/sim.py and every chip's hal follow these signatures.

The classes carry no behaviour; a board need not load this file. tests/firmware/test_contract.py holds every hal against it.
Instants are `ticks`: microseconds modulo 2**30, so that a difference is a small integer on a 32-bit board.
"""


class Clock:
    stride_ms = 0  # how far it may leap while only time passes; a chip's does not

    def ticks_us(self):
        """Microseconds since some start, modulo 2**30."""

    def wait(self, until_ticks, hold):
        """Idle until the instant, or return earlier when the line has bytes.

        `hold` says that nothing will happen before somebody outside acts: a virtual clock then stands still; a real one ignores it. WALL:
        nothing happens but what goes by the clock, which moves no faster than the wall. MORE: there is more to do at once; only what
        belongs into the slack behind a tick may be done.
        """


class Line:
    def readinto(self, buffer):
        """Move bytes that have arrived into `buffer`; return how many, 0 for none. Never blocks."""

    def heard_ms_ago(self):
        """Milliseconds since bytes last arrived, by the wall: a virtual clock that runs fast must not make a host look silent."""

    def ticks_us(self):
        """As Clock.ticks_us, by the wall: whether bytes were lost is judged by it, also while a virtual clock stands still."""

    def write(self, view):
        """Hand over as many bytes of `view` as the line takes at once; return how many. Never blocks."""


class Analog:
    """sensors: temperature sensors on the block, 1 or 2."""

    def read_sum(self, channel, samples):
        """Return the sum of `samples` 16-bit conversions of SENSOR, MONITOR or SUPPLY; -1 where none could be had."""


class LeasedOutput:
    """A power output that goes off by itself: each renewal authorises LEASE_MS from now, without a renewal the pin is low."""

    def renew(self, duty_u16):
        """Authorise the pin for LEASE_MS at this duty (0..65535)."""

    def off(self):
        """Pin low now; what was authorised is withdrawn."""

    def lapsed(self):
        """True once if the lease has run out since the last call while it was not withdrawn by `off`."""


class Optics:
    """Excitation pulses with their sampling instants; the processor only starts them and fetches the counts."""

    def start(self, pulses, cells_mask):
        """Begin `pulses` pulses of PULSE_US every PERIOD_US, reading every cell of the mask and the lamp monitor."""

    def ready(self):
        """True when all pulses are done."""

    def stop(self):
        """LED off now; the pulses that are left are forgotten."""

    def dark(self, cell):
        """array('H') of counts just before each pulse."""

    def lit(self, cell):
        """array('H') of counts in each pulse."""

    def monitor(self):
        """array('H') of lamp monitor counts in each pulse, its own dark count included."""


class StepChannel:
    """Steps of one motor as run-length segments; edges belong to hardware. interval_min_cycles: the shortest interval it is good for."""

    def push(self, steps, interval_cycles, direction):
        """Queue `steps` at `interval_cycles` (8 ns); steps 0 is a dwell of that length. False when the queue is full."""

    def hold(self):
        """The motor is at rest: what is queued from now on waits for `Hal.start_together`."""

    def free(self):
        """Segments that can be queued."""

    def emitted(self):
        """Exact signed count of steps that have left the pin."""

    def abort(self):
        """Stop at once, forget what is queued, return the exact signed count."""

    def recall(self, most):
        """Take back the queued segments that the hardware has not begun; return how many."""

    def running(self):
        """True while segments are left."""


class Inputs:
    def interlock_closed(self):
        """True while the interlock loop is closed."""

    def stop_pressed(self):
        """True while the stop button is pressed."""

    def trigger_in(self, channel):
        """True while the trigger input is active."""

    def pump_stalled(self, pump):
        """True while the motor driver says that its motor does not follow; False where no such wire is."""


class Outputs:
    def trigger(self, channel, on):
        """Switch a trigger output, for example a relay for a sonicator."""

    def indicator(self, state):
        """Show a rig state (remnant_protocol.messages) on the board's LED."""

    def off(self):
        """Every trigger output inactive."""


class Store:
    def load(self, name):
        """Return the bytes kept under `name`, or None."""

    def save(self, name, data):
        """Keep `data` under `name`, whole or not at all. Raises RigError(STORE_FULL)."""


class Flash:
    """Raw flash for the spool, outside of any file system. sectors: how many of SECTOR bytes; erase_ms_max: the longest erasure so far."""

    def read(self, page):
        """The 256 bytes of a page."""

    def program(self, page, offset, data):
        """Clear bits of a page from `offset` on; True when what is there now is what was meant. 0.4 to 3 ms."""

    def erase(self, sector):
        """Set every bit of a sector. 45 to 400 ms, interrupts off; hardware goes on."""


class Watchdog:
    def feed(self):
        """Push the processor's reset further away; called by the control tick after its checks."""


class Identity:
    """board, uid: str; boot_id: u32, new at each start; reset_cause: 0 power, 1 watchdog, 2 soft, 3 unknown; firmware_hash: u32;
    simulated: bool."""


class Hal:
    """clock, line, adc, heater, lamp, master, optics, pumps (list of StepChannel), inputs, outputs, store, flash, retained, watchdog,
    identity, limits (dict).

    master: LeasedOutput of the switch in series with heater and lamp. flash: None where there is none. retained: a writable memoryview of
    RAM that survives a reset, not a power cut; None where there is none.
    """

    def retain(self, start, end):
        """These bytes of `retained` have been written."""

    def start_together(self, pumps_mask):
        """Start the queues of step channels that were held, all in the same instant."""

    def all_off(self):
        """Every output to its safe level; callable in any state."""

    def reset(self):
        """Restart the board. Does not return on a chip."""

    def tell_exception(self, error):
        """Leave the traceback where an engineer finds it; never on the line."""


MORE = 3  # of Clock.wait
SENSOR = 0
MONITOR = 1
SUPPLY = 2
SENSOR2 = 3  # a second sensor on the block, where the setting sensor2_fitted says so
LEASE_MS = 150
