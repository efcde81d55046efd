"""The spool holds against power cuts at every byte, worn pages and restarts; it wears evenly and gives nothing away."""

from fake_hal import Cut, FakeFlash

from rig.spool import PAGES_PER_SECTOR, RECORDS, PageRing

BOOT = 7


def ring(flash, first=0, sectors=None):
    return PageRing(flash, first, sectors or flash.sectors)


def put(pages, text):
    payload = text.encode()
    return pages.write(RECORDS, BOOT, 1, 2, payload, len(payload))


def waiting(pages):
    """Payloads that a host would get, oldest first."""
    found, at, left = [], None, pages.pages + PAGES_PER_SECTOR
    while left > 0:
        page, at = pages.look(at)
        if page is None:
            left -= PAGES_PER_SECTOR
            continue
        left -= 1
        found.append((page.number, page.payload.decode()))
    return found


def test_pages_come_back_in_order_also_after_a_restart():
    flash = FakeFlash()
    pages = ring(flash)
    for i in range(20):
        assert put(pages, "page %d" % i) == i + 1
    expected = [(i + 1, "page %d" % i) for i in range(20)]
    assert waiting(pages) == expected
    again = ring(flash)
    assert waiting(again) == expected and again.waiting == 20 and again.number == 21


def test_what_a_host_has_is_not_given_again_after_a_restart_either():
    flash = FakeFlash()
    pages = ring(flash)
    for i in range(5):
        put(pages, "%d" % i)
    page, at = pages.look()
    pages.keep(page)
    page, at = pages.look(at)
    page, at = pages.look(at)
    pages.keep(page)
    pages.keep(page)
    assert pages.waiting == 3
    again = ring(flash)
    assert waiting(again) == [(2, "1"), (4, "3"), (5, "4")] and again.waiting == 3


def test_a_power_cut_at_every_byte_of_a_page_costs_that_page_only():
    whole = FakeFlash(1)
    put(ring(whole), "the last page before the power went")
    length = 21 + len("the last page before the power went") + 4
    for cut in range(length):
        flash = FakeFlash(2)
        pages = ring(flash)
        put(pages, "first")
        put(pages, "second")
        flash.cut_after = cut
        try:
            put(pages, "the last page before the power went")
            raise AssertionError("no power cut")
        except Cut:
            pass
        flash.cut_after = None
        again = ring(flash)
        assert waiting(again) == [(1, "first"), (2, "second")], cut
        assert put(again, "third") == 3
        assert waiting(ring(flash)) == [(1, "first"), (2, "second"), (3, "third")], cut


def test_a_power_cut_while_the_kept_mark_is_written_loses_nothing():
    for cut in (0, 1):
        flash = FakeFlash(2)
        pages = ring(flash)
        put(pages, "first")
        page, _ = pages.look()
        flash.cut_after = cut
        try:
            pages.keep(page)
        except Cut:
            pass
        flash.cut_after = None
        assert ring(flash).waiting == 1 - cut  # either it waits still, and a host gets it twice, or it does not


def test_a_sector_that_was_half_erased_is_erased_again_before_it_is_used():
    for cut in (0, 1, 21, 255, 256, 1000, 4095):
        flash = FakeFlash(3)
        pages = ring(flash)
        for i in range(PAGES_PER_SECTOR):
            put(pages, "old %d" % i)
        at = None
        while pages.waiting:
            page, at = pages.look(at)
            pages.keep(page)
        for i in range(4):
            put(pages, "new %d" % i)
        flash.cut_after = cut
        try:
            pages.erase(0)
        except Cut:
            pass
        flash.cut_after = None
        again = ring(flash)
        given = [text for _, text in waiting(again)]
        assert given[-4:] == ["new %d" % i for i in range(4)], cut
        assert given[:-4] in ([], ["old 0"]), cut  # its mark went first: a host gets it twice and knows it by its number
        again.keep(again.look()[0]) if len(given) > 4 else None
        while again.erase_ahead(9, True):
            pass
        for i in range(20):
            assert put(again, "more %d" % i), cut
        assert len(waiting(ring(flash))) == 24, cut


def test_flash_full_of_garbage_gives_nothing_and_is_taken_into_use():
    flash = FakeFlash(3)
    value = 1
    for i in range(len(flash.memory)):
        value = (value * 1103515245 + 12345) & 0x3FFFFFFF
        flash.memory[i] = value >> 16 & 255
    pages = ring(flash)
    assert waiting(pages) == [] and pages.waiting == 0
    assert put(pages, "none is erased") == 0
    assert pages.erase_ahead(1, True)
    assert put(pages, "now one is")
    assert [text for _, text in waiting(ring(flash))] == ["now one is"]


def test_a_worn_page_is_left_behind():
    flash = FakeFlash(2)
    flash.worn = {1, 2}
    pages = ring(flash)
    for i in range(3):
        assert put(pages, "%d" % i)
    assert pages.failed == 2
    assert [text for _, text in waiting(ring(flash))] == ["0", "1", "2"]


def test_full_of_what_no_host_has_nothing_is_overwritten():
    flash = FakeFlash(3)
    pages = ring(flash)
    written = 0
    while put(pages, "%d" % written):
        written += 1
    assert written == 3 * PAGES_PER_SECTOR and not pages.erase_ahead(9, True)
    assert [text for _, text in waiting(ring(flash))] == ["%d" % i for i in range(written)]


def test_the_ring_goes_round_for_ever_and_wears_evenly():
    flash = FakeFlash(4)
    pages = ring(flash)
    for i in range(64 * 25):
        pages.erase_ahead(2, True)
        assert put(pages, "%d" % i) == i + 1
        page, _ = pages.look()
        assert page.payload.decode() == "%d" % i
        pages.keep(page)
    assert max(flash.erases) - min(flash.erases) <= 1


def test_slow_flash_is_not_erased_while_a_motor_turns():
    flash = FakeFlash(3)
    flash.erase_ms_max = 300
    pages = ring(flash)
    flash.memory[0] = 0
    pages = ring(flash)
    assert not pages.erase_ahead(9, False) and pages.erase_ahead(9, True)


def test_two_rings_share_a_flash():
    flash = FakeFlash(4)
    left, right = ring(flash, 0, 3), ring(flash, 3, 1)
    put(left, "left")
    put(right, "right")
    assert waiting(ring(flash, 0, 3)) == [(1, "left")] and waiting(ring(flash, 3, 1)) == [(1, "right")]
