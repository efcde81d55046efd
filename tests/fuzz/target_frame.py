"""frame.Parser on any bytes in any chunks: nothing raised, at most one frame held, every good frame between garbage found in its order.

Input: a byte that seeds the sizes of the chunks, then pieces: a length byte n and n bytes; below 128 garbage, from 128 on the body of a
good frame of n - 127 bytes.
"""

from binascii import crc32

from remnant_protocol import frame

_HELD_MAX = frame.BODY_MAX + 5


def fuzz_one(data):
    """Return how many of each kind came by and the CRC of the bodies."""
    if not data:
        return "nothing"
    stream, wanted = pieces(data[1:])
    found = []
    parser = frame.Parser(found.append)
    feed(parser, stream, data[0])
    parser.feed(b"\x00")
    rest = iter(found)
    for body in wanted:
        for got in rest:
            if got == body:
                break
        else:
            raise AssertionError("a good frame was not found")
    assert parser.good == len(found)
    assert parser.good + parser.bad_crc + parser.bad_cobs + parser.too_long <= stream.count(b"\x00") + 1
    bare = []  # the same bytes by themselves, not as pieces
    parser = frame.Parser(bare.append)
    feed(parser, data, data[0])
    for body in bare:
        assert 1 <= len(body) <= frame.BODY_MAX
        assert frame.encode(body)[1:-1] in data
    return f"{parser.good} {parser.bad_crc} {parser.bad_cobs} {parser.too_long} {crc32(b''.join(found)) & 0xFFFFFFFF:08x}"


def pieces(data):
    """(the stream, the bodies whose frames are in it)"""
    stream, wanted, at = bytearray(), [], 0
    while at < len(data):
        size = data[at]
        at += 1
        if size < 128:
            stream += data[at : at + size]
        else:
            size -= 127
            body = data[at : at + size]
            if body:
                stream += frame.encode(body)
                wanted.append(body)
        at += size
    return bytes(stream), wanted


def feed(parser, stream, seed):
    at, chance = 0, seed + 1
    while at < len(stream):
        chance = (chance * 69069 + 12345) & 0x3FFFFFFF
        size = 1 + (chance >> 12) % (1 + seed * 2)
        parser.feed(stream[at : at + size])
        assert len(parser._held) <= _HELD_MAX, "more than a frame is held"
        at += size
