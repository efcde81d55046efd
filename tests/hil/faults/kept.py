"""What a killed board has left in its state folder: the ring in the RAM that a reset leaves alone, and the pages of its flash.

Read with the firmware's own modules, because a record's number is the same on both sides of a reset.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
for _folder in (ROOT / "boards/virtual/cpython", ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.append(str(_folder))


class Kept:
    """boot_id, next_seq: of the boot that ended (0, 0: nothing is known); only_in_ram: its numbers that are in no page of flash."""

    def __init__(self, state: Path):
        from rig.journal import survivors

        self.boot_id = self.next_seq = 0
        self.only_in_ram: set[tuple[int, int]] = set()
        try:
            memory = (state / "retained").read_bytes()
        except OSError:
            return
        found = survivors(memoryview(memory))
        if found is None:
            return
        self.boot_id, self.next_seq, records = found
        self.only_in_ram = {(self.boot_id, seq) for seq, _ in records}
        for boot, first, last in _pages(state / "flash"):
            self.only_in_ram -= {(boot, seq) for seq in range(first, last + 1)}


def records_in_ram(state: Path) -> list[bytes]:
    """Bodies in the ring, oldest first."""
    from rig.journal import survivors

    found = survivors(memoryview((state / "retained").read_bytes()))
    return [body for _, body in found[2]] if found else []


def _pages(path: Path) -> list[tuple[int, int, int]]:
    """(boot, first, last) of every whole page."""
    from rig.spool import RECORDS, PageRing

    if not path.is_file():
        return []
    data = path.read_bytes()

    class Flash:
        def read(self, page: int) -> bytes:
            return data[page * 256 : page * 256 + 256]

    ring = PageRing(Flash(), 0, len(data) // 4096)
    pages = (ring.read(position) for position in range(ring.pages))
    return [(page.boot_id, page.first_seq, page.last_seq) for page in pages if page is not None and page.kind == RECORDS]
