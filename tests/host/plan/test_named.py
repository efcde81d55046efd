"""The names that a plan may use are those that the virtual rig has."""

from typing import get_args

from remnant.plan.named import SampleModel


def test_samples_are_those_of_the_plant():
    from plant.ageing import names

    assert set(get_args(SampleModel)) == set(names())
