"""rig/spool.py's page ring on flash that is cut short and full of garbage: never raises, gives no page that was not written, loses none
that nobody harmed. And rig/journal.py's `survivors` on any RAM.

Input: a first byte; bit 0: the flash begins with garbage; then operations: a byte of kind and position, and what it needs.
"""

from bench_of_rig import Flash

from rig.journal import HEADER_BYTES, Journal, survivors
from rig.spool import PAGES_PER_SECTOR, PAYLOAD_MAX, RECORDS, PageRing

_SECTORS = 3
_BOOT = 7
_OPERATIONS_MAX = 120


class Model:
    """What must be true of the ring: all pages ever written, and, while nothing was harmed, those that wait. kept: what the host has;
    again: what it may get twice, because power went while the mark that it has it was being erased."""

    def __init__(self):
        self.written = set()
        self.waiting = []
        self.kept, self.again = set(), set()
        self.harmed = False


def fuzz_one(data):
    """Return the pages that wait at the end."""
    if not data:
        return "nothing"
    flash, model = Flash(_SECTORS), Model()
    if data[0] & 1:
        spoil(flash, data)
        model.harmed = True
    ring = PageRing(flash, 0, _SECTORS)
    assert not model.harmed or not pages_of(ring), "garbage is a page"
    at = 1
    for _ in range(_OPERATIONS_MAX):
        if at >= len(data):
            break
        kind, at = data[at], at + 1
        operand = data[at : at + 3]
        if kind < 96:
            at += 1
            write(ring, model, operand, kind)
        elif kind < 128:
            page, _ = ring.look()
            if page is not None:
                ring.keep(page)
                model.kept.add(key(page))
                if not model.harmed and key(page) not in model.again:
                    assert model.waiting.pop(0) == key(page), "not the oldest"
        elif kind < 160:
            ring.erase_ahead(1 + kind % 4, bool(kind & 1))
        elif kind < 176:
            ring = PageRing(flash, 0, _SECTORS)
        elif kind < 192:
            ring = cut_write(flash, ring, model, kind, operand)
            at += 1
        elif kind < 208:
            ring = cut_erase(flash, ring, operand)
            model.again.update(model.kept)
            at += 2
        elif len(operand) == 3:
            place = (operand[0] << 8 | operand[1]) % len(flash.memory)
            flash.memory[place] ^= operand[2]
            model.harmed = True
            ring = PageRing(flash, 0, _SECTORS)
            at += 3
        sound(ring, model)
    sound(PageRing(flash, 0, _SECTORS), model)
    found = survivors(memoryview(bytearray(data))) if len(data) >= 2 * HEADER_BYTES else None
    retained(data)
    return f"{ring.waiting} {ring.number} {found is not None}"


def write(ring, model, operand, kind):
    size = (operand[0] if operand else 1) % (PAYLOAD_MAX + 1)
    payload = bytes([kind]) * size
    number = ring.write(RECORDS, _BOOT, kind, kind + 1, payload, size)
    if number:
        model.written.add((number, kind, payload))
        model.waiting.append((number, kind, payload))


def cut_write(flash, ring, model, kind, operand):
    """Power goes while a page is written."""
    payload = bytes(range(40))
    whole = flash.program
    cut = (operand[0] if operand else 0) % (21 + len(payload) + 4)
    flash.program = lambda page, offset, data: whole(page, offset, bytes(data)[:cut])
    ring.write(RECORDS, _BOOT, kind, kind, payload, len(payload))
    flash.program = whole
    again = PageRing(flash, 0, _SECTORS)
    lost = (again.number, kind, payload)
    if again.number > 1 and again.newest(RECORDS).payload == payload:  # what was not written is all ones anyway: the page is whole
        lost = (again.number - 1, kind, payload)
        if lost not in model.written:
            model.waiting.append(lost)
    model.written.add(lost)
    return again


def cut_erase(flash, ring, operand):
    """Power goes while a sector is erased."""
    sector = ring.wants_erasing(2)
    if sector >= 0 and len(operand) > 1:
        size = (operand[0] << 8 | operand[1]) % 4096
        flash.memory[sector * 4096 : sector * 4096 + size] = b"\xff" * size
    return PageRing(flash, 0, _SECTORS)


def spoil(flash, data):
    """Fill the flash with the input, over and over, and a little further each time."""
    memory, size = flash.memory, len(flash.memory)
    for start in range(0, size, 256):
        piece = bytes(data[start % len(data) :]) + bytes(data)
        memory[start : start + 256] = (piece * (1 + 256 // len(piece)))[:256]


def key(page):
    return (page.number, page.first_seq, page.payload)


def pages_of(ring):
    """Keys of the waiting pages, oldest first; what `look` gives in one walk round the ring."""
    found, at = [], None
    left = 4 * ring.pages
    while left:
        left -= 1
        page, at = ring.look(at)
        if page is not None:
            if key(page) in found:
                break
            found.append(key(page))
        elif at == ring._head:
            break
    return found


def sound(ring, model):
    given = pages_of(ring)
    for page in given:
        assert page in model.written, "a page that nobody wrote"
    assert 0 <= ring.waiting <= ring.pages and 0 <= ring.free_pages() <= ring.pages
    assert 0 <= ring._head < ring.pages and 0 <= ring._tail < ring.pages and ring.pages == _SECTORS * PAGES_PER_SECTOR
    if not model.harmed:
        assert ring.waiting == len(given), "the count of waiting pages"
        assert [page for page in given if page not in model.again] == model.waiting, "waiting pages"


class Stopped:
    s = us = 0


def retained(data):
    """A journal in RAM that survives, spoilt by the input: what is found are records in sequence, whatever lies there."""
    memory = memoryview(bytearray(HEADER_BYTES + 300))
    journal = Journal(Stopped, memory=memory, boot_id=_BOOT)
    for i in range(data[0] % 40):
        journal.write(65, i)
    for i in range(0, min(len(data) - 2, 30), 3):
        memory[(data[i] << 8 | data[i + 1]) % len(memory)] ^= data[i + 2]
    found = survivors(memory)
    if found is not None:
        for i in range(1, len(found[2])):
            assert found[2][i][0] == found[2][i - 1][0] + 1
        for _, body in found[2]:
            assert 5 <= len(body) <= 255
