"""Syringes: volume by geometry, play of the nut, stall at the ends."""

from plant.rig import Plant
from plant.syringe import BACKLASH_STEPS, Syringe


def test_volume_follows_the_plunger_area():
    syringe = Syringe(inner_diameter_mm=14.50, capacity_nl=10000000)
    assert syringe.move(3200) == 3200
    assert abs(syringe.dispensed_nl() - 330260) <= 1  # one turn, 2 mm of pi / 4 x 14.50^2 mm2
    assert syringe.volume_nl() == 10000000 - syringe.dispensed_nl()


def test_many_small_moves_equal_one():
    one, many = Syringe(26.72, 60000000), Syringe(26.72, 60000000)
    one.move(100000)
    for _ in range(10000):
        many.move(10)
    assert one.dispensed_nl() == many.dispensed_nl()


def test_reversing_loses_the_backlash_once():
    syringe = Syringe(14.50, 10000000)
    syringe.move(1000)
    out = syringe.dispensed_nl()
    syringe.move(-BACKLASH_STEPS)
    assert syringe.dispensed_nl() == out
    syringe.move(-100)
    back = syringe.dispensed_nl()
    assert back < out
    syringe.move(BACKLASH_STEPS - 1)
    assert syringe.dispensed_nl() == back
    syringe.move(101)
    assert syringe.dispensed_nl() == out
    assert syringe.lost_steps == 0


def test_stalls_at_both_ends():
    syringe = Syringe(14.50, 10000000, volume_nl=1000000, backlash_steps=0)
    assert 0 < syringe.move(1000000) < 1000000
    assert 0 <= syringe.volume_nl() <= syringe.fl_per_step // 1000000 + 1  # less than a step is left
    assert syringe.move(1) == 0
    lost = syringe.lost_steps
    assert syringe.move(-10) == -10  # away from the end it moves
    syringe.move(-1000000)
    assert 10000000 - syringe.fl_per_step // 1000000 - 1 <= syringe.volume_nl() <= 10000000
    assert syringe.lost_steps > lost


def test_plant_has_full_default_syringes_for_two_pairs():
    plant = Plant({})
    assert [plant.syringe_volume_nl(pump) for pump in range(4)] == [60000000, 10000000, 60000000, 10000000]
    plant.move_syringe(0, 3200)
    assert abs(plant.dispensed_nl(0) - 1121483) <= 1  # pi / 4 x 26.72^2 mm2 x 2 mm
    assert plant.dispensed_nl(1) == 0


def test_stalled_pump_loses_every_step():
    plant = Plant({})
    plant.set_fault("pump_stall_1", True)
    assert plant.move_syringe(1, 500) == 0 and plant.dispensed_nl(1) == 0
    assert plant.move_syringe(0, 500) == 500
    plant.set_fault("pump_stall_1", False)
    assert plant.move_syringe(1, 500) == 500
    assert plant.truth()["lost_steps"][:2] == [0, 500]


def test_scenario_names_other_syringes():
    plant = Plant({"syringes": [{"inner_diameter_mm": 4.61, "capacity_nl": 1000000, "volume_nl": 500000, "backlash_steps": 0}]})
    assert plant.syringe_volume_nl(0) == 500000
    try:
        Plant({"syringes": [{"inner_diameter_mm": 4.61, "capacity_nl": 1000000, "volume_nl": 1000001}]})
    except ValueError as error:
        assert "1000001" in str(error)
    else:
        raise AssertionError("more than the syringe holds was taken")
