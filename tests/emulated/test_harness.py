"""The bench itself: what its other users take for granted. Times are cycles of 8 ns unless a name says otherwise."""

import hashlib
import json
from itertools import pairwise

import pytest

from filesystem import make_filesystem, read_filesystem
from image import find_image, find_modules, find_node
from rp2040 import CYCLES_PER_MS, RP2040, ReplError

STEPPER = """
import array, machine, rp2, time
from machine import Pin

@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, out_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def stepper():
    wrap_target()
    label("segment")
    pull(block)        .side(0)       # word 0: bit 0 DIR, bit 1 pulses (or a dwell), then count - 1
    out(pins, 1)       .side(0)
    out(y, 1)          .side(0)
    out(x, 30)         .side(0)
    pull(block)        .side(0)       # word 1: interval, stays in OSR
    jmp(not_y, "gap")  .side(0)
    label("step")
    push(noblock)      .side(1)       # the rising edge, and a word for the counter
    set(y, 31)         .side(1)
    label("high")
    jmp(y_dec, "high") .side(1) [7]   # 256 cycles
    label("gap")
    mov(y, osr)        .side(0)
    label("low")
    jmp(y_dec, "low")  .side(0)       # interval + 1 cycles
    jmp(not_x, "segment") .side(0)
    jmp(x_dec, "step") .side(0) [5]
    wrap()

def feed(index, segments):
    words = array.array("I")
    for count, period, direction in segments:
        words.append(direction | 2 | (count - 1) << 2 if count else direction)
        words.append(period - 267 if count else period - 9)
    machine_ = rp2.StateMachine(index, stepper, sideset_base=Pin(2 + index), out_base=Pin(6 + index))
    counter, feeder = rp2.DMA(), rp2.DMA()
    sink = array.array("I", [0])
    counter.config(read=machine_, write=sink, count=0xffffffff, trigger=True,
                   ctrl=counter.pack_ctrl(size=2, inc_read=False, inc_write=False, treq_sel=4 + index))
    feeder.config(read=words, write=machine_, count=len(words), trigger=True,
                  ctrl=feeder.pack_ctrl(size=2, inc_write=False, treq_sel=index))
    return machine_, counter, feeder, words, sink
"""
SEGMENTS = {
    0: [(1, 300, 0), (2, 267, 0), (3, 12345, 0), (0, 5000, 1), (40, 31250, 1), (5, 1000, 0)],
    1: [(50, 2501, 1), (1, 400_000, 0), (1, 267, 0), (0, 125_000, 1), (3, 9999, 1)],
}
RUN_STEPPERS = """
kept = [feed(index, segments) for index, segments in sorted(SEGMENTS.items())]
time.sleep_us(50)
machine.mem32[0x50202000] = 3 | 3 << 8      # both in the same cycle, dividers restarted
time.sleep_ms(25)
print([0xffffffff - each[1].count for each in kept])
"""


def bench(**options):
    return RP2040(find_image(), node=find_node(), modules=find_modules(), **options)


@pytest.fixture
def board():
    """A board at its raw REPL."""
    with bench() as board:
        board.repl.enter()
        yield board


def rises(edges):
    return [cycle for cycle, level in edges if level]


def steps_at(segments):
    """Cycles of the rising edges from the first one on."""
    now, expected = 0, []
    for count, period, _ in segments:
        expected += [now + k * period for k in range(count)]
        now += period * (count or 1)
    return expected


def run_steppers(**options):
    with bench(**options) as board:
        board.repl.enter()
        board.repl.exec(STEPPER)
        for pin in (2, 3, 6, 7):
            board.pins[pin].record()
        printed = board.repl.exec(f"SEGMENTS = {SEGMENTS}\n{RUN_STEPPERS}")
        return {pin: board.pins[pin].edges() for pin in (2, 3, 6, 7)}, board.cycle, printed, board.stats()


def test_boots_and_answers_the_raw_repl(board):
    assert board.repl.exec("import sys; print(6 * 7, sys.platform)") == "42 rp2\n"
    assert board.repl.exec("print(1.5 ** 0.5, 7 // 2, 0.1 + 0.2)") == "1.224745 3 0.3\n"
    with pytest.raises(ReplError, match="ZeroDivisionError"):
        board.repl.exec("1 / 0")


def test_time_moves_only_by_a_run_command_and_ends_exactly_there(board):
    before = board.cycle
    board.pins[2].drive(True)
    assert board.run(0).cycle == before
    assert board.run(3.25).cycle == before + 3.25 * CYCLES_PER_MS
    board.run_cycles(17)
    assert board.cycle == before + 3.25 * CYCLES_PER_MS + 17


def test_segments_give_exactly_the_computed_edges_and_delay_loops_may_be_skipped():
    edges, cycle, printed, stats = run_steppers(fast_forward=True)
    for index, segments in SEGMENTS.items():
        times = rises(edges[2 + index])
        assert [time - times[0] for time in times] == steps_at(segments)
        assert {low - high for (high, level), (low, _) in pairwise(edges[2 + index]) if level} == {258}
    assert rises(edges[2])[0] == rises(edges[3])[0]
    assert printed == f"{[len(steps_at(segments)) for segments in SEGMENTS.values()]}\n"
    slow_edges, slow_cycle, slow_printed, slow_stats = run_steppers(fast_forward=False)
    assert (slow_edges, slow_cycle, slow_printed) == (edges, cycle, printed)
    assert slow_stats["sm_events"] > 100 * stats["sm_events"]
    assert stats["sm_events"] + stats["skipped"] == slow_stats["sm_events"]


def test_two_runs_are_identical_to_the_cycle():
    def fingerprint():
        edges, cycle, printed, stats = run_steppers()
        return hashlib.sha256(repr((edges, cycle, printed, stats["instructions"])).encode()).hexdigest()

    assert fingerprint() == fingerprint()


def test_cpu_time_does_not_move_the_edges():
    """With a slow flash cache Python takes longer, and the edges stay where the segments put them."""
    edges, _, _, stats = run_steppers(xip_miss_cycles=45)
    assert stats["xip_misses"] > 1000
    for index, segments in SEGMENTS.items():
        times = rises(edges[2 + index])
        assert [time - times[0] for time in times] == steps_at(segments)


def test_clock_dividers_whole_and_fractional(board):
    board.repl.exec("""
import rp2
from machine import Pin
@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def square():
    set(pins, 1) [2]
    set(pins, 0)
@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def slow():
    set(pins, 1)
    set(x, 9)
    label("wait")
    jmp(x_dec, "wait")
    set(pins, 0)
machines = [rp2.StateMachine(0, square, freq=31_250_000, set_base=Pin(2)), rp2.StateMachine(1, slow, freq=10_000_000, set_base=Pin(3))]
""")
    for pin in (2, 3):
        board.pins[pin].record()
    board.repl.exec("for each in machines: each.active(1)")
    board.run_ms(0.1)
    first = board.pins[2].edges()
    assert {later - earlier for earlier, later in pairwise(rises(first))} == {16}
    assert {low - high for (high, level), (low, _) in pairwise(first) if level} == {12}
    second = rises(board.pins[3].edges())
    periods = {later - earlier for earlier, later in pairwise(second)}
    assert periods <= {162, 163}  # 13 turns of 12.5 cycles
    assert abs((second[-1] - second[0]) - (len(second) - 1) * 162.5) <= 1


TOUCHED_LOOP = """
import machine, rp2, time
from machine import Pin
@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW)
def waits():
    pull(block)         .side(0)
    mov(y, osr)         .side(1)
    label("loop")
    jmp(y_dec, "loop")  .side(1) [2]
machines = [rp2.StateMachine(n, waits, freq=freq, sideset_base=Pin(2 + n)) for n, freq in enumerate((125_000_000, 10_000_000, 3_000_000))]
seen = []
for each, turns in zip(machines, (1_000_000, 100_000, 30_000)):
    each.active(1)
    each.put(turns)
for turn in range(12):
    time.sleep_us(37 + 11 * turn)
    for each in machines:
        each.exec(0xb0c2)                                   # mov isr, y  side 1
        each.exec(0x9000)                                   # push noblock  side 1
        seen.append(each.get())
    if turn == 5:
        machines[1].active(0); time.sleep_us(100); machines[1].active(1)
        machine.mem32[0x502000f8] = 7 << 16                # another divider for machine 2, in the middle of its loop
        machines[0].exec(0xf054)                           # set y, 20  side 1
time.sleep_ms(40)
print(seen)
"""


def test_a_skipped_loop_that_is_touched_stands_where_it_would():
    def run(fast_forward):
        with bench(fast_forward=fast_forward) as board:
            board.repl.enter()
            for pin in (2, 3, 4):
                board.pins[pin].record()
            printed = board.repl.exec(TOUCHED_LOOP)
            return printed, [board.pins[pin].edges() for pin in (2, 3, 4)], board.cycle, board.stats()["skipped"]

    printed, edges, cycle, skipped = run(True)
    assert (printed, edges, cycle, 0) == run(False)
    assert skipped > 10_000 and len(set(json.loads(printed))) > 20
    assert [[level for _, level in pin] for pin in edges[1:]] == [[1, 0]] * 2  # machine 0 is over early and shows what is executed


def test_out_pins_touches_its_own_pins_only(board):
    for pin in range(2, 8):
        board.pins[pin].record()
    board.repl.exec("""
import rp2, time
from machine import Pin
@rp2.asm_pio(out_init=(rp2.PIO.OUT_LOW,) * 3, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def three():
    pull(block)
    out(pins, 32)
@rp2.asm_pio(set_init=(rp2.PIO.OUT_HIGH,) * 2)
def two():
    pull(block)
    set(pins, 1)
    set(pins, 2)
a = rp2.StateMachine(0, three, out_base=Pin(2)); b = rp2.StateMachine(1, two, set_base=Pin(5)); Pin(7, Pin.OUT, value=1)
a.active(1); b.active(1)
a.put(0xffffffff); b.put(0); a.put(0xfffffff8)
time.sleep_ms(1)
""")
    levels = {pin: [level for _, level in board.pins[pin].edges()] for pin in range(2, 8)}
    assert levels == {2: [1, 0], 3: [1, 0], 4: [1, 0], 5: [1, 0], 6: [1, 0, 1], 7: [1]}


def test_pio_reads_pins_status_and_waits(board):
    out = board.repl.exec("""
import rp2, time
from machine import Pin
@rp2.asm_pio(in_shiftdir=rp2.PIO.SHIFT_LEFT)
def looks():
    wait(1, pin, 0)
    in_(pins, 2)
    push()
    jmp(pin, "high")
    set(x, 7)
    jmp("done")
    label("high")
    set(x, 9)
    label("done")
    mov(isr, x)
    push()
    mov(isr, status)
    push()
    wait(0, gpio, 10)
    irq(0)
    wait(1, irq, 4)
    mov(isr, null)
    push()
s = rp2.StateMachine(0, looks, in_base=Pin(10), jmp_pin=Pin(11))
Pin(10, Pin.IN); Pin(11, Pin.IN)
s.active(1)
print(s.rx_fifo())
""")
    assert out == "0\n"
    board.pins[11].drive(True)
    board.pins[10].drive(True)
    # MOV STATUS compares the level of the TX FIFO with 0 here: never less, all zeroes
    assert board.repl.exec("print([s.get() for _ in range(3)], s.rx_fifo(), rp2.PIO(0).irq().flags())").startswith("[3, 9, 0] 0")
    board.pins[10].drive(False)
    out = board.repl.exec(
        "time.sleep_ms(1); m = machine.mem32 if 'machine' in globals() else __import__('machine').mem32\nprint(m[0x50200030], s.rx_fifo())"
    )
    assert out == "1 0\n"
    assert board.repl.exec("m[0x50200034] = 16\ntime.sleep_ms(1)\nprint(s.get(), m[0x50200030])") == "0 1\n"


def test_autopull_and_autopush_pass_words_through(board):
    out = board.repl.exec("""
import rp2
@rp2.asm_pio(autopull=True, autopush=True, pull_thresh=8, push_thresh=16, in_shiftdir=rp2.PIO.SHIFT_LEFT, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def nibbles():
    out(x, 4)
    in_(x, 4)
s = rp2.StateMachine(0, nibbles, freq=1_000_000)
s.active(1)
for word in (0x21, 0x43, 0x65, 0x87):
    s.put(word)
print([hex(s.get()) for _ in range(2)], s.tx_fifo(), s.rx_fifo())
""")
    assert out == "['0x1234', '0x5678'] 0 0\n"


RAW_LEASE = """
import machine, rp2, time
m = machine.mem32
@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def lease():
    pull(block)        .side(0)
    out(x, 16)         .side(0)
    out(y, 16)         .side(0)
    jmp(not_x, "off")  .side(0)
    label("on")
    jmp(x_dec, "on")   .side(1)
    label("off")
    jmp(y_dec, "off")  .side(0)
rp2.PIO(1).add_program(lease)
b = 0x503000c8
off = lease[2]
m[0x50303000] = 1                       # disabled
m[b] = 125 << 16
m[b + 4] = lease[3] + (off << 12) + (off << 7)
m[b + 8] = lease[4] ^ (1 << 30); m[b + 8] = lease[4]        # toggling FJOIN empties the FIFOs
m[0x50302000] = 1 << 4 | 1 << 8
m[b + 0x14] = 1 << 26 | 10 << 5
m[b + 0x10] = 0xe000; m[b + 0x10] = 0xe081                  # set pins, 0 and set pindirs, 1: at once, though disabled
m[b + 0x14] = 1 << 29 | 10 << 10
m[b + 0x10] = off
m[0x40014004 + 8 * 10] = 7
m[0x50302000] = 1
def heat(on_us, slot_us=50000):
    m[0x50300010] = (on_us - 1) | (slot_us - on_us - 5) << 16
"""


def test_raw_set_up_runs_a_machine_that_survives_a_soft_reset(board):
    board.repl.exec(RAW_LEASE)
    board.pins[10].record()
    board.repl.exec("for _ in range(4): heat(10000)")
    board.run_ms(10)
    soft_reset_at = board.cycle
    board.repl.soft_reset()
    board.run_ms(300)
    edges = board.pins[10].edges()
    assert {low - high for (high, level), (low, _) in pairwise(edges) if level} == {10_000 * 125}
    assert {later - earlier for earlier, later in pairwise(rises(edges))} == {50_000 * 125}
    assert len(rises(edges)) == 4 and rises(edges)[-1] > soft_reset_at
    assert board.repl.exec("import machine; print(machine.mem32[0x50300008] >> 24)") == "1\n"  # FDEBUG.TXSTALL: the lease lapsed


def test_join_toggle_empties_the_fifos_and_exec_moves_a_stalled_machine(board):
    board.repl.exec(RAW_LEASE)
    out = board.repl.exec("""
m[0x50303000] = 1
for _ in range(3): heat(1000)
before = m[0x5030000c] & 15
m[b + 8] ^= 1 << 30; m[b + 8] ^= 1 << 30
print(before, m[0x5030000c] & 15, m[b + 0xc] == off)
m[0x50302000] = 1
time.sleep_ms(1)
m[b + 0x10] = 0xe03f                                        # set x, 31 on a machine that is stalled in its pull
m[b + 0x10] = 0xa0c1                                        # mov isr, x
m[b + 0x10] = 0x8000                                        # push
print(m[0x50300020], m[b + 0xc] == off)
""")
    assert out == "3 0 True\n31 True\n"


def test_frozen_cpu_leaves_pio_and_watchdog_running(board):
    board.repl.exec(RAW_LEASE)
    board.pins[10].record()
    board.repl.start("machine.WDT(timeout=1000)\nwhile True:\n    heat(20000)\n    time.sleep_ms(49)")
    board.run_ms(200)
    instructions = board.stats()["instructions"]
    frozen_at = board.cycle
    board.freeze_cpu()
    board.run_ms(500)
    assert board.stats()["instructions"] == instructions
    edges = board.pins[10].edges()
    assert 0 < len([cycle for cycle in rises(edges) if cycle > frozen_at]) <= 5
    assert not board.pins[10].level  # the queue is empty: low for good
    board.run_ms(600)
    assert [cause for _, cause in board.resets] == ["power", "watchdog"]
    board.thaw_cpu()
    board.repl.enter()
    assert board.repl.exec("import machine; print(machine.reset_cause() == machine.WDT_RESET)") == "True\n"


def test_watchdog_fires_after_its_time_and_tells_its_cause(board):
    board.repl.exec("from machine import Pin, WDT\nPin(5, Pin.OUT, value=1)\nw = WDT(timeout=2000)\nw.feed()")
    fed = board.cycle
    board.pins[5].record()
    board.run_ms(2100)
    reset_at, cause = board.resets[-1]
    assert cause == "watchdog"
    assert reset_at - fed == pytest.approx(2000 * CYCLES_PER_MS, abs=CYCLES_PER_MS)  # fed up to 1 ms before the prompt came back
    assert board.pins[5].edges() == [(reset_at, 0)]
    assert board.pins[5].function == "none"
    board.repl.enter()
    assert board.repl.exec("import machine; print(machine.reset_cause() == machine.WDT_RESET)") == "True\n"
    board.reset_button()
    board.repl.enter()
    assert board.repl.exec("import machine; print(machine.reset_cause() == machine.PWRON_RESET)") == "True\n"
    board.repl.start("machine.reset()")
    board.run_ms(100)
    assert [cause for _, cause in board.resets] == ["power", "watchdog", "run", "software"]


def test_flash_persists_through_resets_and_takes_its_time(board):
    board.repl.exec("with open('kept.bin', 'wb') as f: f.write(b'x' * 5000)")
    before = board.stats()
    out = board.repl.exec("import rp2, time\nt = time.ticks_us()\nrp2.Flash().ioctl(6, 300)\nprint(time.ticks_diff(time.ticks_us(), t))")
    assert 45_000 <= int(out) <= 46_000
    assert board.stats()["erases"] == before["erases"] + 1
    board.power_cycle()
    board.repl.enter()
    assert board.repl.exec("print(len(open('kept.bin').read()))") == "5000\n"
    image = board.flash_image()
    assert read_filesystem(image)["kept.bin"] == b"x" * 5000
    with RP2040(None, node=find_node(), modules=find_modules(), flash_image=image) as twin:
        twin.repl.enter()
        assert twin.repl.exec("print(len(open('kept.bin').read()))") == "5000\n"


def test_run_ends_on_time_inside_a_flash_erase(board):
    board.repl.start("import rp2\nrp2.Flash().ioctl(6, 300)\nprint('done')")
    for _ in range(30):
        start = board.cycle
        assert board.run(1.0).cycle == start + CYCLES_PER_MS
    board.usb_read()  # the slices took the answer
    board.run_ms(60)
    assert b"done" in board.usb_read()


def test_a_host_that_stops_reading_blocks_the_writer():
    with bench() as board:
        board.repl.enter()
        board.repl.start("""
import sys
from machine import Pin
p = Pin(2, Pin.OUT)
for i in range(2000):
    sys.stdout.buffer.write(bytes(64))
    p.toggle()
""")
        board.run_ms(5)
        board.usb_hold(True)
        board.pins[2].record()
        held_at = board.cycle
        board.run_ms(100)
        while_held = board.pins[2].edges()
        assert board.usb_read() != b"" and board.run(50).usb == b""
        assert all(cycle - held_at < 2 * CYCLES_PER_MS for cycle, _ in while_held)  # until the buffers were full
        board.usb_hold(False)
        released_at = board.cycle
        board.repl.finish()
        assert rises(board.pins[2].edges())[-1] > released_at


def test_usb_carries_no_more_than_the_wire_can():
    with bench() as board:
        board.repl.enter()
        board.repl.start("import sys\nfor i in range(200): sys.stdout.buffer.write(bytes(64))")
        begin = board.cycle
        board.repl.finish()
        assert 200 * 64 / ((board.cycle - begin) / CYCLES_PER_MS) <= 1216  # bytes a ms: 19 packets of 64 a frame


def test_adc_sees_light_noise_and_the_multiplexer(board):
    board.repl.exec("""
from machine import ADC, Pin
a, led = ADC(26), Pin(12, Pin.OUT, value=0)
select = [Pin(n, Pin.OUT, value=0) for n in (18, 19, 20)]
""")
    board.adc[0].set(16000.0)
    board.adc[0].lit(12, 48000.0)
    assert board.repl.exec("d = a.read_u16() >> 4; led(1); l = a.read_u16() >> 4; led(0); print(d, l)") == "1000 3000\n"
    board.adc[0].record()
    board.adc[0].set(32000.0, noise=160.0)
    board.repl.exec("for i in range(200): a.read_u16()")
    samples = board.adc[0].samples()
    counts = [count for _, count, _ in samples]
    assert len(samples) == 200 and {lit for _, _, lit in samples} == {0}
    assert sum(counts) / 200 == pytest.approx(2000, abs=4)  # 10 counts of noise, 200 samples: 5 standard errors are 3.5
    assert 7 < (sum((count - 2000) ** 2 for count in counts) / 200) ** 0.5 < 13
    inputs = [{"dark": 1600.0 * n} for n in range(8)]
    inputs[5] = {"dark": 1600.0, "lit": 64000.0, "pin": 12, "noise": 0.0}
    board.adc[0].mux([18, 19, 20], inputs)
    out = board.repl.exec("""
values = []
for n in range(8):
    for k in range(3): select[k](n >> k & 1)
    led(n == 5)
    values.append(a.read_u16() >> 4)
print(values)
""")
    assert out == "[0, 100, 200, 300, 400, 4000, 600, 700]\n"


def test_adc_round_robin_goes_through_dma(board):
    for channel in range(3):
        board.adc[channel].set(16000.0 * (channel + 1))
    out = board.repl.exec("""
import array, machine, rp2, time
for n in (26, 27, 28): machine.ADC(n)
m = machine.mem32
buf = array.array("H", bytes(24))
m[0x4004c010] = 4800 << 8
m[0x4004c008] = 1 | 1 << 3 | 1 << 24
d = rp2.DMA()
d.config(read=0x4004c00c, write=buf, count=12, trigger=True, ctrl=d.pack_ctrl(size=1, inc_read=False, treq_sel=36))
t = time.ticks_us()
m[0x4004c000] = 1 | 7 << 16 | 1 << 3
while d.active(): pass
t = time.ticks_diff(time.ticks_us(), t)
m[0x4004c000] = 1
print(list(buf), 1000 < t < 1400)
""")
    assert out == f"{[1000, 2000, 3000] * 4} True\n"


def test_a_slice_reports_levels_and_rises_of_metered_pins(board):
    board.repl.exec("from machine import PWM, Pin\np = PWM(Pin(15), freq=1000, duty_u16=16384)")
    board.meter([15, 16])
    board.run(10)
    result = board.run(20, drive={16: True})
    assert result.rises == {15: 20, 16: 1}
    assert result.high_cycles[15] == pytest.approx(5 * CYCLES_PER_MS, abs=10)  # its period is 124999.75 cycles: 5 more of them fit
    assert result.high_cycles[16] == 20 * CYCLES_PER_MS
    assert board.pins[15].function == "pwm"
    assert board.run(0).high_cycles == {15: 0, 16: 0}


def test_external_levels_reach_python_and_pulls_apply(board):
    board.repl.exec("from machine import Pin\np = Pin(9, Pin.IN, Pin.PULL_UP)")
    assert board.repl.exec("print(p())") == "1\n"
    board.pins[9].drive(False)
    assert board.repl.exec("print(p())") == "0\n"
    board.pins[9].drive(None)
    assert board.repl.exec("print(p())") == "1\n"
    board.repl.exec("hits = []\np.irq(lambda pin: hits.append(pin()), Pin.IRQ_FALLING)")
    board.pins[9].drive(False)
    assert board.repl.exec("print(hits)") == "[0]\n"


def test_unique_id_and_random_bits_follow_the_seed():
    def identity(seed):
        with bench(seed=seed) as board:
            board.repl.enter()
            return board.repl.exec("import machine, os; print(machine.unique_id().hex(), os.urandom(8).hex())").split()

    one, again, other = identity(1), identity(1), identity(2)
    assert one == again
    assert one[0] != other[0] and one[1] != other[1]
    assert len(set(one[0])) > 4


def test_a_file_system_mounts_and_main_runs():
    files = {
        "main.py": "import settings\nprint('main', settings.WORD)\nopen('log.txt', 'w').write('ran')\n",
        "lib/settings.py": "WORD = 'seen'\n",
    }
    with bench(filesystem=make_filesystem(files)) as board:
        board.run_ms(400)
        assert board.usb_read().startswith(b"main seen\r\n")
        board.repl.enter()
        assert b"soft reboot" in board.repl.soft_reset()
        assert board.repl.exec("print(open('log.txt').read())") == "ran\n"
        board.repl.soft_reset_to_main()
        board.run_ms(200)
        assert board.usb_read().startswith(b"main seen\r\n")
        assert read_filesystem(board.flash_image())["lib/settings.py"] == b"WORD = 'seen'\n"


def test_uart_loops_through_the_bench(board):
    board.repl.exec("from machine import UART, Pin\nu = UART(1, 115200, tx=Pin(4), rx=Pin(5))\nu.write(b'hello')")
    board.run_ms(2)
    assert board.uart_read(1) == b"hello"
    board.uart_send(1, b"back")
    board.run_ms(2)
    assert board.repl.exec("print(u.read())") == "b'back'\n"


def test_bus_devices_answer_and_a_hung_bus_times_out(board):
    board.i2c(0).device(0x48, bytes([0xAB, 0xCD, 0, 0]))
    board.spi(0).device(17, bytes([0x00, 0x12, 0x34, 0, 0, 0, 0, 0]))
    out = board.repl.exec("""
from machine import I2C, SPI, Pin
i = I2C(0, scl=Pin(5), sda=Pin(4), freq=400000)
i.writeto_mem(0x48, 2, b'\\x55\\x66')
print(i.readfrom_mem(0x48, 0, 4))
try: i.readfrom(0x20, 1)
except OSError as e: print(e)
s = SPI(0, 1_000_000, polarity=0, phase=1, sck=Pin(2), mosi=Pin(3), miso=Pin(16)); cs = Pin(17, Pin.OUT, value=1)
cs(0); s.write(b'\\x80\\xc2'); cs(1)
b = bytearray(4); cs(0); s.readinto(b, 0); cs(1); print(bytes(b))
""")
    assert out == "b'\\xab\\xcdUf'\n[Errno 5] EIO\nb'\\xff\\xc2\\x124'\n"
    assert board.spi(0).registers(17)[0] == 0xC2
    board.i2c(0).hang()
    out = board.repl.exec("try: i.readfrom(0x48, 1)\nexcept OSError as e: print(e)")
    assert out == "[Errno 110] ETIMEDOUT\n"


def test_dma_survives_a_soft_reset_and_abort_stops_it(board):
    out = board.repl.exec("""
import rp2, array
d = rp2.DMA()
d.config(read=array.array("I", [0]), write=0x50200010, count=1000, trigger=True,
         ctrl=d.pack_ctrl(inc_read=False, inc_write=False, treq_sel=59))
print(d.channel, d.active())
""")
    assert out == "0 True\n"
    board.repl.soft_reset()
    out = board.repl.exec("""
import machine
m = machine.mem32
busy = m[0x5000000c] >> 24 & 1
m[0x50000444] = 0xfff
print(busy, m[0x5000000c] >> 24 & 1, m[0x50000444])
""")
    assert out == "1 0 0\n"
