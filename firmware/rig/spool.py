"""The spool: pages of records in raw flash, for what the RAM ring cannot keep until a host has it.

A page of 256 bytes: kept mark (255; 0 once the host has it), kind, magic, page number, boot, first and last record, length, payload,
CRC-32. A page counts only with a right CRC, so power may go at any byte: what was half written is no page, what was half erased is erased
again. Pages are written in a ring, each sector is erased once a round, so all wear alike. Sectors are erased ahead, behind a tick with
time to spare; writing never waits for an erasure.
"""

from binascii import crc32
from struct import pack_into, unpack_from

from micropython import const

PAGE = const(256)
PAGES_PER_SECTOR = const(16)
RECORDS = const(0x52)
CHECKPOINT = const(0x43)
PAYLOAD_MAX = const(224)
ERASE_NEEDS_US = const(60_000)
_HEAD = const(21)
_FORM = ">BBHIIIIB"  # kept, kind, magic, number, boot_id, first_seq, last_seq, length
_MAGIC = const(0x524D)
_FRESH = const(255)
_SLOW_MS = const(80)
_BLANK = b"\xff" * PAGE
_KEPT = b"\x00"


def _header(data):
    """The fields of a page whose CRC is right, else None."""
    fields = unpack_from(_FORM, data, 0)
    if fields[2] != _MAGIC or fields[7] > PAYLOAD_MAX:
        return None
    end = _HEAD + fields[7]
    return fields if crc32(data[1:end]) & 0xFFFFFFFF == unpack_from(">I", data, end)[0] else None


class Page:
    """One page as read: position in the ring, number, boot_id, first_seq, last_seq, kept, payload (bytes)."""

    def __init__(self, position, fields, payload):
        self.position = position
        self.kept = fields[0] != _FRESH
        self.kind = fields[1]
        self.number, self.boot_id, self.first_seq, self.last_seq = fields[3:7]
        self.payload = payload


class PageRing:
    """A ring of sectors of a hal.contract.Flash. number: of the next page; waiting: pages that the host has not got yet."""

    def __init__(self, flash, first_sector, sectors):
        self._flash = flash
        self._first = first_sector * PAGES_PER_SECTOR
        self._sectors = sectors
        self.pages = sectors * PAGES_PER_SECTOR
        self._buffer = bytearray(PAGE)
        self._blank = bytearray(sectors)  # 1: erased, nothing written
        self.number = 1
        self.waiting = 0
        self.failed = 0  # pages that did not take what was written
        self._tail = 0  # no page before it waits
        self._head = 0  # where the next page goes
        self._satisfied = -1  # so many sectors are ready, or all that can be; -1: to be looked at
        self._scan()

    def write(self, kind, boot_id, first_seq, last_seq, payload, length):
        """Append a page; returns its number, or 0 when there is no erased page for it."""
        buffer = self._buffer
        pack_into(_FORM, buffer, 0, _FRESH, kind, _MAGIC, self.number, boot_id, first_seq, last_seq, length)
        buffer[_HEAD : _HEAD + length] = memoryview(payload)[:length]
        view = memoryview(buffer)
        end = _HEAD + length
        pack_into(">I", buffer, end, crc32(view[1:end]) & 0xFFFFFFFF)
        for _ in range(PAGES_PER_SECTOR):  # a page that does not take it is left behind
            position = self._head
            if position % PAGES_PER_SECTOR == 0 and not self._blank[position // PAGES_PER_SECTOR]:
                return 0
            self._blank[position // PAGES_PER_SECTOR] = 0
            self._satisfied = -1
            self._head = (position + 1) % self.pages
            if self._flash.program(self._first + position, 0, view[: end + 4]):
                number = self.number
                self.number = number + 1
                if kind == RECORDS:
                    self.waiting += 1
                return number
            self.failed += 1
        return 0

    def read(self, position):
        """The Page at a position, or None."""
        data = memoryview(self._flash.read(self._first + position))
        fields = _header(data)
        return None if fields is None else Page(position, fields, bytes(data[_HEAD : _HEAD + fields[7]]))

    def look(self, position=None):
        """(the next waiting Page at or behind a position, or None; where to look next). None: from the oldest.

        Looks at a sector's worth of pages at most, so that nobody waits for it.
        """
        at = self._tail if position is None else position
        for _ in range(PAGES_PER_SECTOR):
            if at == self._head and not (position is None and self.waiting):
                break  # from the oldest on, head and tail meet when all pages wait
            position = at
            page = self.read(at)
            here, at = at, (at + 1) % self.pages
            if page is not None and not page.kept and page.kind == RECORDS:
                return page, at
            if here == self._tail:
                self._tail = at
        return None, at

    def keep(self, page):
        """The host has this page: its place may be used again, now and after any restart."""
        if not page.kept:
            page.kept = True
            self._satisfied = -1
            self._flash.program(self._first + page.position, 0, _KEPT)
            self.waiting -= 1

    def newest(self, kind):
        """The last page of a kind that was written, or None."""
        found = None
        for position in range(self.pages):
            page = self.read(position)
            if page is not None and page.kind == kind and (found is None or page.number > found.number):
                found = page
        return found

    def free_pages(self):
        """Pages that can be written before the oldest waiting one is in the way."""
        if not self.waiting:
            return self.pages - PAGES_PER_SECTOR
        tail = self._tail - self._tail % PAGES_PER_SECTOR
        return (tail - self._head) % self.pages

    def wants_erasing(self, ahead):
        """The sector to be erased next so that `ahead` sectors are ready, or -1."""
        first = (self._head + PAGES_PER_SECTOR - 1) // PAGES_PER_SECTOR
        for i in range(ahead):
            sector = (first + i) % self._sectors
            if not self._blank[sector]:
                return sector if self._may_go(sector) else -1
        return -1

    def erase_ahead(self, ahead, pumps_rest):
        """Erase one sector if fewer than `ahead` are ready; True if one was. On flash that has shown to be slow not while a motor turns."""
        if ahead == self._satisfied or not pumps_rest and self._flash.erase_ms_max > _SLOW_MS:
            return False
        sector = self.wants_erasing(ahead if ahead < self._sectors - 1 else self._sectors - 2)
        if sector < 0:
            self._satisfied = ahead
            return False
        self.erase(sector)
        return True

    def erase(self, sector):
        """Erase a sector that `wants_erasing` named. Takes 45 ms, interrupts off."""
        self._flash.erase(self._first // PAGES_PER_SECTOR + sector)
        self._blank[sector] = 1

    def _may_go(self, sector):
        """True when nothing in the sector waits for the host."""
        if not self.waiting:
            return True
        tail = self._tail // PAGES_PER_SECTOR
        head = (self._head - 1) % self.pages // PAGES_PER_SECTOR
        return not (tail <= sector <= head if tail <= head else sector >= tail or sector <= head)

    def _scan(self):
        """Find the newest page and the oldest waiting one after a start."""
        newest = oldest = None
        for sector in range(self._sectors):
            blank = 1
            for i in range(PAGES_PER_SECTOR):
                position = sector * PAGES_PER_SECTOR + i
                data = memoryview(self._flash.read(self._first + position))
                if _BLANK == data:
                    continue
                blank = 0
                fields = _header(data)
                if fields is None:
                    continue
                number = fields[3]
                if newest is None or number > newest[0]:
                    newest = (number, position)
                if fields[1] == RECORDS and fields[0] == _FRESH:
                    self.waiting += 1
                    if oldest is None or number < oldest[0]:
                        oldest = (number, position)
            self._blank[sector] = blank
        if newest is not None:
            self.number = newest[0] + 1
            self._head = (newest[1] + 1) % self.pages
            self._skip_spoilt()
        self._tail = oldest[1] if oldest else self._head

    def _skip_spoilt(self):
        """What is left of the newest page's sector may hold a page that power did not let finish."""
        while self._head % PAGES_PER_SECTOR and not _BLANK == self._flash.read(self._first + self._head):
            self._head = (self._head + 1) % self.pages
