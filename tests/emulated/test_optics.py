"""Probe pulses: sampled in step with their LED, without the processor (firmware/hal/rp2/optics.py)."""

import ast

from trains import rises, widths

LED = 12
CELLS_ADC, MONITOR_ADC = 1, 2


def probed(rig, pulses, mask, during="pass"):
    """Counts of a probe by the names of the contract, and the conversions as the chip made them."""
    rig.pins[LED].clear()
    rig.pins[LED].record()
    for channel in (CELLS_ADC, MONITOR_ADC):
        rig.adc[channel].record()
    told = rig.repl.exec(
        f"""
hal.optics.start({pulses}, {mask})
{during}
while not hal.optics.ready(): pass
cells = [c for c in range(4) if {mask} & 1 << c]
print([[list(hal.optics.dark(c)) for c in cells], [list(hal.optics.lit(c)) for c in cells], list(hal.optics.monitor())])
"""
    )
    return ast.literal_eval(told.strip().splitlines()[-1])


def test_sixteen_pulses_are_sampled_at_the_same_cycle_of_each(bare):
    busy = "for i in range(20):\n    x = [bytearray(50) for _ in range(50)]; gc.collect()"
    probed(bare, 16, 0b0011, busy)
    light = rises(bare.pins[LED].edges())
    assert len(light) == 16 * 3  # two cells and the monitor, the LED low for 40 ns between them
    starts = light[::3]
    offsets = set()
    for channel in (CELLS_ADC, MONITOR_ADC):
        for cycle, _, _ in bare.adc[channel].samples():
            pulse = min(range(16), key=lambda i: abs(starts[i] - cycle))
            offsets.add((channel, cycle - starts[pulse]))
    assert len(offsets) == 2 + 2 + 1  # dark and lit of two cells, the monitor: each always at the same cycle
    assert {b - a for a, b in zip(starts, starts[1:], strict=False)} == {4000 * 125}


def test_each_cell_gets_its_own_dark_and_lit_counts(bare):
    dark, lit, monitor = probed(bare, 8, 0b0011)
    for cell in range(2):
        expected_dark, expected_lit, _ = bare.plant.expected(cell)
        assert abs(sum(dark[cell]) / 8 - expected_dark) < 60
        assert abs(sum(lit[cell]) / 8 / expected_lit - 1) < 0.02
    assert abs(sum(monitor) / 8 / bare.plant.expected_monitor()[1] - 1) < 0.02


def test_the_light_of_a_probe_is_what_the_pulse_says(bare):
    probed(bare, 16, 0b1111)
    lit_us = sum(widths(bare.pins[LED].edges())) / 125
    assert abs(lit_us - 16 * 2000) < 16 * 2000 * 0.001


def test_the_led_goes_off_when_a_probe_is_stopped_and_when_nobody_feeds_it(bare):
    bare.pins[LED].record()
    bare.repl.exec("hal.optics.start(32, 15)\ntime.sleep_ms(3)\nhal.optics.stop()")
    bare.run_ms(200)
    edges = bare.pins[LED].edges()
    assert edges and not edges[-1][1]
    bare.pins[LED].clear()
    bare.repl.exec("hal.optics.start(32, 15)\ntime.sleep_ms(3)\nmachine.mem32[0x50000444] = 0x700")  # its DMA is taken away
    bare.run_ms(200)
    edges = bare.pins[LED].edges()
    assert edges and not edges[-1][1]
    assert max(widths(edges)) < 2000 * 125


def test_nobody_else_reads_the_adc_meanwhile(bare):
    told = bare.repl.exec(
        "hal.optics.start(4, 1)\na = hal.adc.read_sum(0, 16)\ntime.sleep_ms(30)\nhal.optics.ready()\nprint(a, hal.adc.read_sum(0, 16) > 0)"
    )
    assert told.strip() == "-1 True"
