"""packing.unpack on any bytes: RigError(STORE_CORRUPT) or records; and what is packed comes back byte for byte.

Input: a first byte; even: the rest is a page; odd: the rest describes records, which are packed into pages.
A record is a kind byte and its bytes: telemetry by what changes against the record before, an event, a probe reading, any message body.
"""

from binascii import crc32

from remnant_protocol import codec, packing
from remnant_protocol.errors import STORE_CORRUPT, RigError
from remnant_protocol.messages import EVENT, MARKED, PROBE_READING

_WIDE = (0, 1, 30, 65535, 80000, 999_999, 0x7FFFFFFF, 0xFFFFFFFF)
# fields of telemetry: (lowest, highest)
_RANGES = (
    (0, 0xFFFFFFFF),
    (0, 0xFFFFFFFF),
    (0, 999_999),
    (0, 255),
    (0, 65535),
    (-0x80000000, 0x7FFFFFFF),
    (-0x80000000, 0x7FFFFFFF),
    (0, 65535),
    (0, 65535),
    (0, 0xFFFFFFFF),
    (0, 0xFFFFFFFF),
    (0, 0xFFFFFFFF),
)
_BODY_MAX = 1100  # what a page of any bytes may claim: a reading with three arrays of 255 bytes behind a head of 255


def fuzz_one(data):
    """Return the number of records and their CRC."""
    if not data:
        return "nothing"
    bodies = round_trip(data) if data[0] & 1 else read(data[1:])
    return "refused" if bodies is None else f"{len(bodies)} {crc32(b''.join(bodies)) & 0xFFFFFFFF:08x}"


def read(page):
    try:
        bodies = packing.unpack(page)
    except RigError as error:
        assert error.code == STORE_CORRUPT
        return None
    assert len(bodies) <= 8 * len(page)
    for body in bodies:
        assert isinstance(body, bytes) and 0 < len(body) <= _BODY_MAX
    return bodies


def round_trip(data):
    bodies = records(data)
    packer, given = packing.Packer(data[0] >> 1 if len(data) % 3 else 8), []
    for seq, body in enumerate(bodies, 1):
        if packer.add(body, seq):
            continue
        if packer.count:
            given += finished(packer)
        if not packer.add(body, seq):  # larger than a page: told as lost
            given.append(body)
    given += finished(packer)
    assert given == bodies, "what comes back is not what was packed"
    return bodies


def finished(packer):
    count = packer.count
    page = bytes(packer.buffer[: packer.finish()])
    assert len(page) <= packing.PAYLOAD_BYTES
    bodies = packing.unpack(page)
    assert len(bodies) == count
    packer.forget()
    return bodies


def records(data):
    """Message bodies as a board writes them."""
    found, fields, at = [], [0] * 12, 1
    record = codec.TelemetryRecord()
    while at < len(data) and len(found) < 300:
        kind, at = data[at], at + 1
        if kind < 160:  # telemetry in which some fields have changed
            fields[0] = (fields[0] + 1) & 0xFFFFFFFF
            for _ in range(kind & 7):
                if at + 1 >= len(data):
                    break
                which, change = data[at] % 12, data[at + 1]
                at += 2
                value = _WIDE[change & 7] if change >= 248 else fields[which] + change - 120
                fields[which] = max(_RANGES[which][0], min(_RANGES[which][1], value))
            record.pack(*fields)
            found.append(bytes(record.buffer))
        elif kind < 200:
            found.append(codec.encode([EVENT, len(found), fields[1], fields[2], MARKED, kind]))
        elif kind < 230:
            counts = data[at : at + 2 * (kind - 199)]
            at += len(counts)
            counts = counts[: len(counts) & ~1]
            body = codec.encode([PROBE_READING, len(found), fields[1], fields[2], 3, 1, fields[6], 70000, counts, counts, counts])
            if len(body) <= 249:
                found.append(body)
        else:
            size = kind - 230
            if size:
                found.append(codec.encode([EVENT, len(found), 5, 6, 1, data[at : at + size]]))
            at += size
    return found
