"""History: what the RAM ring cannot keep goes packed into flash, and comes back to a host behind what is live.

Records leave the ring oldest first, when it is three quarters full, or, while nobody listens, as they come. They are in the ring until
their page is in flash. Events are never thinned; telemetry is, by how many pages are left (THINNING), so that 48 h without a host fit. A
page is written when it or the ring is full, at an event, and at least every PAGE_AGE_S. To the host at most WINDOW pages are on the way;
it acknowledges each.
"""

from micropython import const

from remnant_protocol.messages import EVENT, EXECUTED, FAULT, HISTORY, TELEMETRY
from remnant_protocol.packer import Packer

from .clock import ticks_diff
from .spool import ERASE_NEEDS_US, RECORDS

WINDOW = const(4)
PAGE_AGE_S = const(600)
_STARTED_S = const(2)  # what every start tells is worth no page of its own
AWAY_MS = const(5000)
_AGAIN_US = const(1_000_000)
_PAGES_A_TICK = const(2)  # leaves the slack room to collect what they leave behind: 20 a second are 1200 records
_SENDING_NEEDS_US = const(6_000)  # a page is read, checked and framed in 3 ms on an RP2040
_AT_ONCE = const(2)  # records a tick: one is made in a tick, and what waits must shrink
_UNDER_PRESSURE = const(12)
_PACKING_NEEDS_US = const(46_000)  # a record takes 5 ms on an RP2040, a full page 20: the ring forgets 60 records with it
# (free pages at least in 1/16 of the spool, one telemetry record in so many is kept)
_NONE = const(1 << 29)
THINNING = ((3, 1), (2, 64), (1, 1024))


class History:
    """pages_waiting: pages the host has not got. Without flash (hal.flash is None) it does nothing."""

    def __init__(self, ring, boot_id, gain, ticks_us=None):
        self._ring = ring
        self._ticks_us = ticks_us
        self.journal = None  # set once the ring of this boot stands
        self._boot_id = boot_id
        self._packer = Packer(gain)
        self._first_seq = 0  # of the page that is being filled; 0: nothing examined yet
        self._last_seq = 0
        self._begun_s = 0
        self._flush = False
        self._sent_before = self._sent = 0  # pages before that tick
        self.next_tick = 0  # when the control tick wants the processor back
        self._thinning = 1  # one telemetry record in so many is kept
        self._cursor = None  # position of the next page to send
        self._out = []  # [page, sent at] that the host has not acknowledged
        self.thinned = 0

    @property
    def pages_waiting(self):
        return self._ring.waiting if self._ring is not None else 0

    # ---- into flash, in the slack behind a tick

    def tend(self, away, now_s, until, pumps_rest, ahead):
        """Move what is to be moved before the ticks `until`; a sector is erased, up to `ahead` of them, if that is far enough away."""
        ring = self._ring
        if ring is None:
            return
        journal = self.journal
        pressed = journal.used * 4 > journal.size * 3
        if away or pressed:
            most = _UNDER_PRESSURE if pressed else _AT_ONCE
            while most and ticks_diff(until, self._ticks_us()) > _PACKING_NEEDS_US and self._pack_one(now_s):
                most -= 1
            full = journal.used * 8 > journal.size * 7  # a page may hold more records than the ring
            if self._first_seq and (full or self._flush and away or now_s - self._begun_s > PAGE_AGE_S):
                if full and self._thinning > 1 and not self._flush:
                    journal.release(self._last_seq)  # a page of few samples is not worth its place yet; a reset would cost them
                else:
                    self._write()
        elif self._first_seq:
            self._forget_page()  # a host is here and has what is packed, or gets it from the ring
        if ticks_diff(until, self._ticks_us()) > ERASE_NEEDS_US:
            ring.erase_ahead(ahead, pumps_rest)

    def take_over(self, boot_id, bodies):
        """Keep the records of an earlier boot that survived in RAM: [(seq, body), ...]."""
        if self._ring is None:
            return
        packer = self._packer
        for seq, body in bodies:
            if not packer.add(body, seq):
                self._program(boot_id, packer.first_seq, packer.last_seq)
                packer.forget()
                packer.add(body, seq)
        if packer.count:
            self._program(boot_id, packer.first_seq, packer.last_seq)
        packer.forget()

    def _pack_one(self, now_s):
        """Take the next record of the ring into the page; False when there is none, or no page for it."""
        journal = self.journal
        body = journal.next_to_pack()
        if body is None:
            return False
        seq = journal.pack_seq
        kind = body[1]
        if kind == TELEMETRY and self._thins(seq):
            self.thinned += 1
        else:
            if not self._packer.add(body, seq):
                if self._packer.count:
                    return self._write()
                journal.missed(seq)  # counts that are nothing but noise take more than a page
            if (kind == EVENT or kind == FAULT or kind == EXECUTED) and now_s >= _STARTED_S:
                self._flush = True
        if not self._first_seq:
            self._first_seq = seq
            self._begun_s = now_s
        self._last_seq = seq
        journal.packed()
        return True

    def _thins(self, seq):
        free = self._ring.free_pages() * 16
        self._thinning = _NONE
        for sixteenths, one_in in THINNING:
            if free > sixteenths * self._ring.pages:
                self._thinning = one_in
                break
        return seq % self._thinning != 0

    def _write(self):
        """Put the page into flash and let the ring forget what is in it; False when the flash is full of what no host has."""
        last = self._last_seq
        if not self._program(self._boot_id, self._first_seq, last):
            return False
        self._packer.forget()
        self._first_seq = 0
        self._flush = False
        self.journal.release(last)
        return True

    def _program(self, boot_id, first_seq, last_seq):
        ring, packer = self._ring, self._packer
        length = packer.finish()
        if ring.write(RECORDS, boot_id, first_seq, last_seq, packer.buffer, length):
            return True
        sector = ring.wants_erasing(1)
        if sector < 0:
            return False
        ring.erase(sector)
        return ring.write(RECORDS, boot_id, first_seq, last_seq, packer.buffer, length) > 0

    def _forget_page(self):
        self._packer.forget()
        self._first_seq = 0
        self._flush = False
        self.journal.pack_again()

    # ---- to the host, when nothing live waits

    def greet(self):
        """A host has come: begin with the oldest page."""
        self._cursor = None
        self._out = []

    def next(self, now_us):
        """The next HISTORY message as a tuple, or None."""
        ring = self._ring
        if ring is None or not ring.waiting or ticks_diff(self.next_tick, self._ticks_us()) < _SENDING_NEEDS_US:
            return None
        if self._sent_before != self.next_tick:
            self._sent_before, self._sent = self.next_tick, 0
        if self._sent >= _PAGES_A_TICK:
            return None
        out = self._out
        if out and ticks_diff(now_us, out[0][1]) > _AGAIN_US:
            again = out.pop(0)
            again[1] = now_us
            out.append(again)
            return self._message(again[0])
        if len(out) >= WINDOW:
            return None
        page, self._cursor = ring.look(self._cursor)
        if page is None:
            return None
        out.append([page, now_us])
        return self._message(page)

    def kept(self, number):
        """The host has a page on disk."""
        for entry in self._out:
            if entry[0].number == number:
                self._out.remove(entry)
                self._ring.keep(entry[0])
                return

    def _message(self, page):
        self._sent += 1
        return (HISTORY, page.number, page.boot_id, page.first_seq, page.last_seq, page.payload)


def page_rings(flash, make):
    """(records, checkpoints) on a flash: the last eight sectors are for checkpoints. (None, None) without one."""
    if flash is None:
        return None, None
    checkpoints = min(8, flash.sectors // 4)
    return make(flash, 0, flash.sectors - checkpoints), make(flash, flash.sectors - checkpoints, checkpoints)
