"""Checkpoints: where a run is, kept in flash, so that a board that comes back knows it. And how a run goes on from there.

Written at the beginning and end of a run, at each step, whenever a motor begins or ends (a dose is not given twice), every EVERY_S and,
while a motor turns, every MOVING_S. A run that ended, was stopped or faulted leaves a checkpoint that says so: nothing resumes it. Fields
(msgpack):

    [VERSION, run_id or nil, CRC-32 of the program, t_s, exposure_mj, probe_uj, [heater target, setpoint, ramp], lamp,
     pumps, references, position, triggers]

pumps: [left_nl, play, volume_nl left to dispense, flow_nl_per_min] each; references: [probe, cell, signal] of the conditions that look at
one; position: of the Executor; triggers: ms left of each output.
"""

from binascii import crc32

from micropython import const

from remnant_protocol import codec
from remnant_protocol import program as p
from remnant_protocol.errors import RigError

from .spool import CHECKPOINT, ERASE_NEEDS_US, PAYLOAD_MAX

EVERY_S = const(30)
MOVING_S = const(5)
WRITING_NEEDS_US = const(50_000)
_PUT_OFF_MOST = const(10)
_AHEAD = const(2)
_VERSION = const(2)
_FIELDS = const(12)


class Saved:
    """A checkpoint as read: the fields by name."""

    def __init__(self, boot_id, fields):
        self.boot_id = boot_id
        (self.run_id, self.program_crc, self.t_s, self.exposure_mj, self.probe_uj) = fields[1:6]
        self.heater, self.lamp, self.pumps, self.references, self.position, self.triggers = fields[6:12]


class Checkpoints:
    """saved: the newest one from before this start, or None. Without a ring (no flash) it keeps nothing."""

    def __init__(self, ring, boot_id):
        self._ring = ring
        self._boot_id = boot_id
        self._due_s = 0
        self._step = self._moving = -1
        self._put_off = 0  # ticks whose slack was too short
        self._buffer = bytearray(PAYLOAD_MAX + 512)
        self.saved = self._newest() if ring is not None else None

    def begin(self):
        self._due_s = 0
        self._step = self._moving = -1

    def tick(self, rig, left_us=WRITING_NEEDS_US):
        """While a run is going on: write when it is time and left_us until the next tick allow it. True if one was written."""
        if self._ring is None:
            return False
        now_s, step = rig.clock.s, rig.executor.step
        moving = 0
        for pump in rig.pumps:
            moving = moving << 1 | pump.busy
        if now_s < self._due_s and step == self._step and moving == self._moving:
            return False
        if left_us < WRITING_NEEDS_US and self._put_off < _PUT_OFF_MOST:
            self._put_off += 1
            return False
        self._put_off = 0
        self._step, self._moving = step, moving
        self._due_s = now_s + (MOVING_S if moving else EVERY_S)
        self.write(rig, rig.run_id)
        return True

    def tend(self, left_us, pumps_rest):
        """Erase a sector ahead where there is time for it before the next tick."""
        if self._ring is not None and left_us > ERASE_NEEDS_US:
            self._ring.erase_ahead(_AHEAD, pumps_rest)

    def write(self, rig, run_id):
        """Keep where the rig is; run_id None: nothing is going on that could be resumed."""
        ring = self._ring
        if ring is None:
            return
        fields = self._fields(rig, run_id)
        end = codec.encode_into(fields, self._buffer, 0)
        if end > PAYLOAD_MAX:
            fields[10][4] = {}  # how often each step was entered: only told in events
            end = codec.encode_into(fields, self._buffer, 0)
        if end > PAYLOAD_MAX:
            return  # cannot be: 8 blocks of 20 bytes
        if not ring.write(CHECKPOINT, self._boot_id, 0, 0, self._buffer, end):
            sector = ring.wants_erasing(1)
            if sector >= 0:
                ring.erase(sector)
                ring.write(CHECKPOINT, self._boot_id, 0, 0, self._buffer, end)

    def _fields(self, rig, run_id):
        heater = rig.heater
        pumps = [[pump.left_nl, pump.play, pump.dose[0], pump.dose[1]] for pump in rig.pumps]
        if run_id is None:
            return [_VERSION, None, 0, rig.clock.s, 0, 0, [], 0, pumps, [], [0, [], None, 0, {}], [0, 0]]
        return [
            _VERSION,
            run_id,
            rig.program_crc,
            rig.clock.s,
            rig.exposure.mj_per_cm2,
            rig.exposure.probe_uj_per_cm2,
            [heater.target_mc, heater.setpoint_mc, heater.ramp_mc_per_min],
            rig.lamp.requested_uw_per_cm2,
            pumps,
            rig.probe.references(rig.references_wanted),
            rig.executor.position(),
            rig.triggers.left_ms(),
        ]

    def _newest(self):
        page = self._ring.newest(CHECKPOINT)
        if page is None:
            return None
        try:
            fields = codec.decode(page.payload, 0, len(page.payload), 12)
        except RigError:
            return None
        if not isinstance(fields, list) or len(fields) != _FIELDS or fields[0] != _VERSION:
            return None
        return Saved(page.boot_id, fields)


def program_crc(data):
    return crc32(data) & 0xFFFFFFFF


def references_wanted(operations):
    """[(probe, cell), ...] that conditions of a program compare with; blocks within blocks on a list."""
    wanted, blocks = [], [operations]
    while blocks:
        for operation in blocks.pop():
            op = operation[0]
            if op == p.EVERY:
                for condition in operation[2]:
                    _note(condition, wanted)
                blocks.append(operation[3])
            elif op == p.WAIT:
                _note(operation[1], wanted)
            elif op == p.REPEAT or op == p.STEP:
                blocks.append(operation[2])
    return wanted


def _note(condition, wanted):
    if condition[0] == p.REMNANT_BELOW and (condition[3], condition[1]) not in wanted:
        wanted.append((condition[3], condition[1]))
