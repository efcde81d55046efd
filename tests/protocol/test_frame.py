from remnant_protocol import frame
from vectors import unhex, vectors


def parsed(chunks, limit=frame.BODY_MAX):
    bodies = []
    parser = frame.Parser(bodies.append, limit)
    for chunk in chunks:
        parser.feed(chunk)
    return bodies, parser


def test_golden_frames_are_made():
    for row in vectors("frame") + vectors("messages"):
        assert frame.encode(unhex(row["body"])) == unhex(row["frame"]), row["name"]


def test_golden_frames_are_read():
    for row in vectors("frame") + vectors("messages"):
        bodies, parser = parsed([unhex(row["frame"])])
        assert bodies == [unhex(row["body"])], row["name"]
        assert parser.good == 1


def test_no_frame_is_longer_than_256_bytes_and_none_has_a_zero_inside():
    for body in (b"\xff" * 249, bytes(249), bytes(range(249)), b"", b"\x00"):
        coded = frame.encode(body)
        assert len(coded) <= frame.FRAME_MAX
        assert coded[0] == 0 and coded[-1] == 0 and b"\0" not in coded[1:-1]


def test_a_body_of_250_bytes_is_refused():
    try:
        frame.encode(bytes(250))
    except ValueError:
        return
    raise AssertionError("250 bytes went through")


def test_any_split_gives_the_same_frames():
    stream = b"".join([frame.encode(bytes([i]) * i) for i in range(1, 40)])
    whole = parsed([stream])[0]
    assert len(whole) == 39
    for size in (1, 2, 3, 7, 64, 255, 256, 257):
        assert parsed([stream[i : i + size] for i in range(0, len(stream), size)])[0] == whole


def test_the_frame_behind_garbage_is_found():
    good = frame.encode(b"good")
    for garbage in (b"\xff" * 1000, b"\x03" * 50, bytes(100), b"\x01\x00\x02", b"abc", bytes(range(256)) * 4):
        assert parsed([garbage, good])[0][-1:] == [b"good"]
        assert parsed([garbage + good])[0][-1:] == [b"good"]


def test_every_flipped_bit_loses_at_most_its_own_frame():
    first, second, third = frame.encode(b"first one"), frame.encode(b"second one"), frame.encode(b"third one")
    for at in range(len(second)):
        for bit in range(8):
            hurt = bytearray(second)
            hurt[at] ^= 1 << bit
            bodies = parsed([first + bytes(hurt) + third])[0]
            assert bodies[0] == b"first one" and bodies[-1] == b"third one"
            assert all([body in (b"first one", b"second one", b"third one") for body in bodies])


def test_a_cut_frame_costs_nobody_else():
    coded = frame.encode(b"cut me anywhere")
    for at in range(len(coded)):
        assert parsed([coded[:at] + frame.encode(b"next")])[0][-1] == b"next"


def test_too_long_is_counted_and_holds_no_memory():
    bodies, parser = parsed([b"\x05" * 100_000] * 3 + [frame.encode(b"after")])
    assert bodies == [b"after"]
    assert parser.too_long == 1
    assert len(parser._held) == 0


def test_encode_into_keeps_to_the_length_it_is_told():
    out = bytearray(frame.FRAME_MAX + 2)
    n = frame.encode_into(b"abcdefgh", 3, out)
    assert bytes(out[:n]) == frame.encode(b"abc")
    n = frame.encode_into(memoryview(b"abcdefgh")[2:5], 3, out)
    assert bytes(out[:n]) == frame.encode(b"cde")


def test_encode_into_allocates_at_most_the_crc():
    import gc
    import sys

    if sys.implementation.name != "micropython":
        return
    out = bytearray(frame.FRAME_MAX)
    body = bytearray(b"\x00\x01\x02\x00" * 13)
    encode_into = frame.encode_into
    # a CRC over 2^30 is an object of two 16-byte cells where small integers have 31 bits
    allowed = 0 if sys.maxsize > 0x7FFFFFFF else 32
    encode_into(body, 52, out)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(20):
        encode_into(body, 52, out)
    after = gc.mem_alloc()
    gc.enable()
    assert after - before <= 20 * allowed, (after - before) / 20


def test_a_buffer_of_frame_max_holds_the_longest_frame_and_stale_bytes_do_no_harm():
    out = bytearray(b"\xaa" * frame.FRAME_MAX)
    for length in (249, 1, 248, 2, 53):
        body = bytes([length & 1]) * length
        n = frame.encode_into(body, length, out)
        assert parsed([bytes(out[:n])])[0] == [body]
