"""A bench whose board was restarted: samples keep their age, the block has cooled, syringes stand where they stood."""

from plant.rig import Plant

SCENARIO = {"seed": 2, "cells": ["templated", "control"]}


def aged():
    plant = Plant(SCENARIO)
    for _ in range(12_000):
        plant.advance(100_000, 40_000, 20_000)
    plant.probe_pulse(0)
    plant.move_syringe(0, 1234)
    return plant


def test_what_has_aged_stays_aged():
    before = aged()
    after = Plant(SCENARIO)
    after.outlast(before.lasting(), 0)
    left, right = before.truth(), after.truth()
    for name in ("block_c", "sample_c", "sensor_c", "exposure_mj_per_cm2", "probe_exposure_uj_per_cm2", "remnant"):
        assert left[name] == right[name], name
    assert before.syringe_volume_nl(0) == after.syringe_volume_nl(0)


def test_without_power_the_block_cools_and_samples_age_on_in_the_warmth():
    before = aged()
    after = Plant(SCENARIO)
    after.outlast(before.lasting(), 300)
    hot, cold = before.truth(), after.truth()
    left = (cold["block_c"] - 22) / (hot["block_c"] - 22)
    assert 0.36 < left < 0.375  # exp(-1): tau is 300 s
    assert cold["remnant"][1] < hot["remnant"][1]
    assert cold["exposure_mj_per_cm2"] == hot["exposure_mj_per_cm2"]


def test_the_state_is_plain_numbers():
    import json

    state = aged().lasting()
    assert json.loads(json.dumps(state)) == state


def test_faults_of_the_scenario_count_from_the_new_start():
    before = aged()
    after = Plant({"seed": 2, "cells": ["templated"], "faults": [[5, "stop_pressed", True]]})
    after.outlast(before.lasting(), 60)
    assert not after.stop_pressed
    for _ in range(60):
        after.advance(100_000, 0, 0)
    assert after.stop_pressed


def test_what_has_been_dosed_stays_and_goes_on_acting():
    scenario = {"ambient_c": 25, "cells": ["pbso4-bare", "ag"], "liquids": ["ethanol"]}
    before = Plant(scenario)
    before.move_syringe(0, 20000)
    for _ in range(6000):
        before.advance(100_000, 0, 20_000)
    after = Plant(scenario)
    after.outlast(before.lasting(), 0)
    assert after.truth()["remnant"] == before.truth()["remnant"]
    assert after.truth()["liquid_ppm"] == before.truth()["liquid_ppm"]
    for _ in range(6000):
        after.advance(100_000, 0, 0)
    left, right = before.truth()["remnant"], after.truth()["remnant"]
    assert right[0] < left[0] and right[1] > left[1]  # ethanol goes on, darkness gives back
