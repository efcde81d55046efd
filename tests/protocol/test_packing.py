"""What is packed comes back byte for byte, in far fewer bytes; what is no page is refused."""

from remnant_protocol import codec, packing
from remnant_protocol.errors import STORE_CORRUPT, RigError
from remnant_protocol.messages import EVENT, MARKED, PROBE_READING


class Chance:
    """Small repeatable numbers, the same on every interpreter."""

    def __init__(self, seed):
        self._state = seed

    def below(self, limit):
        self._state = (self._state * 69069 + 12345) & 0x3FFFFFFF
        return (self._state >> 10) % limit

    def bell(self, width):
        """About normal, sigma width / 2."""
        return self.below(width + 1) + self.below(width + 1) + self.below(width + 1) - 3 * width // 2


def telemetry(fields):
    record = codec.TelemetryRecord()
    record.pack(*fields)
    return bytes(record.buffer)


def soak(count, chance, period_us=100_000, lamp=False):
    """Records as a heater at 80 degC gives them: late ticks, noise of the sensor, the duty that answers it."""
    rows, integral, exposure, duty_lamp = [], 31000, 0, 26000
    for i in range(count):
        late = 80 + abs(chance.bell(300))
        t_us = i * period_us + late + chance.below(4)
        temp = 80000 + chance.bell(24)
        integral += (80000 - temp) // 10
        irradiance = 20000 + chance.bell(24) if lamp else 0
        exposure += irradiance * (period_us // 1000) // 1000
        row = (i + 1, 1234 + t_us // 1_000_000, t_us % 1_000_000, 2, 3, 80000, temp, 8 * (80000 - temp) + integral)
        rows.append(row + (duty_lamp if lamp else 0, irradiance, exposure // 1000, late))
        duty_lamp += (20000 - irradiance) >> 2
    return rows


def pages_of(bodies, gain=8):
    """[(first_seq, last_seq, data), ...]"""
    packer, pages = packing.Packer(gain), []
    for seq, body in enumerate(bodies, 1):
        if not packer.add(body, seq):
            pages.append((packer.first_seq, packer.last_seq, bytes(packer.buffer[: packer.finish()])))
            packer.forget()
            assert packer.add(body, seq)
    pages.append((packer.first_seq, packer.last_seq, bytes(packer.buffer[: packer.finish()])))
    return pages


def test_telemetry_comes_back_byte_for_byte_in_a_tenth_of_its_size():
    for lamp, most in ((False, 5.0), (True, 7.5)):
        bodies = [telemetry(row) for row in soak(400, Chance(5), lamp=lamp)]
        pages = pages_of(bodies)
        assert [body for page in pages for body in packing.unpack(page[2])] == bodies
        assert sum([len(page[2]) for page in pages]) / len(bodies) < most
        assert all([len(page[2]) <= packing.PAYLOAD_BYTES for page in pages])
        assert [pages[i][0] for i in range(1, len(pages))] == [pages[i][1] + 1 for i in range(len(pages) - 1)]


def test_the_widest_values_come_back():
    rows = [
        (1, 0, 0, 0, 0, -300000, -60000, 0, 0, 0, 0, 0),
        (0xFFFFFFFF, 0xFFFFFFFF, 999_999, 255, 65535, 0x7FFFFFFF, -0x80000000, 65535, 65535, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (2, 5, 5, 1, 1, -0x80000000, 0x7FFFFFFF, 1, 65535, 0, 0, 7),
        (3, 6, 5, 1, 1, 80000, 79999, 65535, 1, 30, 1, 8),
    ]
    bodies = [telemetry(row) for row in rows]
    assert [body for page in pages_of(bodies) for body in packing.unpack(page[2])] == bodies


def test_every_gain_comes_back():
    bodies = [telemetry(row) for row in soak(60, Chance(9))]
    for gain in (0, 1, 8, 255):
        assert [body for page in pages_of(bodies, gain) for body in packing.unpack(page[2])] == bodies


def test_events_between_telemetry_come_back_in_order():
    rows = soak(90, Chance(3), 1_000_000)
    bodies = []
    for i, row in enumerate(rows):
        bodies.append(telemetry(row) if i % 7 else codec.encode([EVENT, i + 1, 5, 6, MARKED, i]))
    assert [body for page in pages_of(bodies) for body in packing.unpack(page[2])] == bodies


def reading(chance, pulses, noise, first=600):
    """A probe reading of `pulses`, counts as a photodiode gives them."""
    arrays = []
    for level in (first, 30000, 10200):
        counts = [max(0, min(65535, level + chance.bell(noise))) for _ in range(pulses)]
        arrays.append(bytes([byte for count in counts for byte in (count & 255, count >> 8)]))
    return codec.encode([PROBE_READING, 70000, 170000, 999999, 3, 1, -5000, 70000] + arrays)


def test_probe_readings_come_back_and_the_largest_has_room():
    chance = Chance(4)
    for pulses in (1, 16, 32):
        for noise in (0, 60, 3000):
            body = reading(chance, pulses, noise)
            packer = packing.Packer()
            assert packer.add(body, 70000), (pulses, noise)
            data = bytes(packer.buffer[: packer.finish()])
            assert packing.unpack(data) == [body]
    bodies = [reading(chance, 16, 60), telemetry(soak(1, chance)[0]), reading(chance, 16, 60, 0)]
    assert [body for page in pages_of(bodies) for body in packing.unpack(page[2])] == bodies


def test_the_largest_record_has_room_in_a_page_of_its_own():
    body = bytes(range(220))
    packer = packing.Packer()
    assert packer.add(body, 1)
    assert not packer.add(body, 2) and packer.last_seq == 1
    assert packing.unpack(bytes(packer.buffer[: packer.finish()])) == [body]


def test_a_record_that_does_not_fit_leaves_the_page_as_it_was():
    chance = Chance(11)
    packer, bodies, seq = packing.Packer(), [], 0
    for row in soak(300, chance):
        seq += 1
        body = telemetry(row)
        if not packer.add(body, seq):
            break
        bodies.append(body)
    for _ in range(3):
        assert not packer.add(telemetry((seq, 5, 6, 1, 900, 5, -20000, 1, 2, 3, 4, 99999999)), seq)
    assert packer.count == len(bodies)
    assert packing.unpack(bytes(packer.buffer[: packer.finish()])) == bodies


def test_finishing_does_not_close_the_page():
    rows = soak(20, Chance(2))
    packer = packing.Packer()
    for row in rows:
        packer.finish()
        packer.add(telemetry(row), row[0])
    assert packing.unpack(bytes(packer.buffer[: packer.finish()])) == [telemetry(row) for row in rows]


def test_bytes_that_are_no_page_are_refused_or_give_records_and_nothing_else():
    chance = Chance(1)
    whole = pages_of([telemetry(row) for row in soak(50, chance)])[0][2]
    for _ in range(400):
        data = bytearray(whole[: 1 + chance.below(len(whole))])
        for _ in range(chance.below(6)):
            data[chance.below(len(data))] = chance.below(256)
        try:
            assert all([isinstance(body, bytes) for body in packing.unpack(bytes(data))])
        except RigError as error:
            assert error.code == STORE_CORRUPT
    assert packing.unpack(b"") == [] and packing.unpack(b"\x08") == []
