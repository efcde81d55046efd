"""Nothing stays on: whatever becomes of the processor, heater and lamp are off within 250 ms and the pumps within 500 ms.

Ten random phases of each cause here; `make bench` takes a hundred (lease_trials.py prints the histograms).
"""

import pytest

import lease_trials
from bench_rig import bare_rig
from remnant_protocol import messages as m
from trains import rises, widths

TRIALS = 10


@pytest.mark.parametrize("cause", lease_trials.CAUSES)
def test_outputs_go_off_by_themselves(cause):
    with bare_rig() as rig:
        lease_trials.prepare(rig)
        trials = lease_trials.run(rig, cause, TRIALS)
    for name, limit_ms in lease_trials.LIMIT_MS.items():
        assert trials.worst(name) <= limit_ms, trials


def test_no_output_moves_at_power_up_reset_or_while_a_program_is_stored(firmware):
    """From power-up until the rig is ready, through a press of the reset button, and while flash is written."""
    rig = firmware.rig
    outputs = (2, 3, 4, 5, 10, 11, 12, 18, 19)
    for pin in outputs:
        rig.pins[pin].record()
    rig.power_cycle()
    rig.run_ms(3000)
    rig.reset_button()
    rig.run_ms(3000)
    firmware.ready()
    before = rig.stats()["pages"]
    firmware.command(m.SETTING, 15, 6000)
    rig.run_ms(500)
    assert rig.stats()["pages"] > before
    for pin in outputs:
        assert not rises(rig.pins[pin].edges()), f"pin {pin}"


def test_full_duty_and_no_duty_are_what_they_say(bare):
    record(bare, (10, 11))
    bare.repl.exec("for _ in range(5):\n    hal.heater.renew(65535); hal.lamp.renew(0); time.sleep_ms(100)\nhal.heater.off()")
    bare.run_ms(300)
    assert not rises(bare.pins[11].edges())
    assert all(width > 0.9998 * 50 * 125_000 for width in widths(bare.pins[10].edges())[:-1])


def test_duty_is_exact(bare):
    record(bare, (10, 11))
    bare.repl.exec(
        "for _ in range(5):\n    hal.heater.renew(16384); hal.lamp.renew(16384); time.sleep_ms(100)\nhal.heater.off(); hal.lamp.off()"
    )
    bare.run_ms(50)
    heater, lamp = bare.pins[10].edges(), bare.pins[11].edges()
    assert {b - a for a, b in zip(rises(heater), rises(heater)[1:], strict=False)} == {50 * 125_000}
    assert set(widths(heater)[:-1]) == {12_500 * 125}
    assert set(widths(lamp)[:-1]) == {1000 * 15}


def test_the_interlock_cuts_both_without_the_processor(bare):
    record(bare, (10, 11))
    bare.repl.start("while True:\n    hal.heater.renew(40000); hal.lamp.renew(40000); time.sleep_ms(100)")
    bare.run_ms(1000)
    bare.freeze_cpu()
    bare.plant.set_fault("interlock_open", True)
    opened = bare.cycle
    bare.run_ms(300)
    assert bare.pins[11].edges()[-1][0] - opened < 6 * 125_000, "one period of the lamp, and the slice in which the loop opened"
    assert bare.pins[10].edges()[-1][0] - opened < 55 * 125_000, "one slot of the heater, and the slice"


def test_a_lapsed_lease_says_so_once_and_a_withdrawn_one_does_not(bare):
    told = bare.repl.exec(
        """
hal.heater.renew(30000); hal.lamp.renew(30000); time.sleep_ms(50)
a = (hal.heater.lapsed(), hal.lamp.lapsed())
time.sleep_ms(300)
b = (hal.heater.lapsed(), hal.lamp.lapsed())
hal.heater.renew(30000); time.sleep_ms(10); hal.heater.off(); time.sleep_ms(300)
print(a, b, hal.heater.lapsed())
"""
    )
    assert told.strip() == "(False, False) (True, True) False"


def record(rig, pins):
    for pin in pins:
        rig.pins[pin].record()
