"""Every hal keeps the contract: the fake bench of these tests, the virtual board and the player of `remnant dry-run`."""

import fake_hal

from hal import contract


def methods(thing):
    return [name for name in dir(thing) if not name.startswith("_") and callable(getattr(thing, name))]


def assert_keeps(thing, capability):
    for name in methods(capability):
        assert hasattr(thing, name), (capability, name)


PARTS = (
    ("clock", contract.Clock),
    ("line", contract.Line),
    ("adc", contract.Analog),
    ("master", contract.LeasedOutput),
    ("heater", contract.LeasedOutput),
    ("lamp", contract.LeasedOutput),
    ("optics", contract.Optics),
    ("inputs", contract.Inputs),
    ("outputs", contract.Outputs),
    ("store", contract.Store),
    ("watchdog", contract.Watchdog),
)


def assert_hal_keeps_the_contract(hal):
    assert_keeps(hal, contract.Hal)
    for name, capability in PARTS:
        assert_keeps(getattr(hal, name), capability)
    if hal.flash is not None:
        assert_keeps(hal.flash, contract.Flash)
    for channel in hal.pumps:
        assert_keeps(channel, contract.StepChannel)
    for name in ("board", "uid", "boot_id", "reset_cause", "firmware_hash", "simulated"):
        assert hasattr(hal.identity, name)


def test_the_fake_bench_keeps_the_contract():
    assert_hal_keeps_the_contract(fake_hal.FakeHal())


def test_the_virtual_board_keeps_the_contract():
    import board

    from hal.sim import SimHal

    assert_hal_keeps_the_contract(SimHal({"seed": 1, "cells": ["templated", "control"]}, board.LIMITS, board.LAMP_NM))


def test_the_player_keeps_the_contract():
    import board

    from player.hal import PlayedHal

    assert_hal_keeps_the_contract(PlayedHal(board.LIMITS, 22))


def test_a_virtual_lease_ends_by_itself():
    import board

    from hal.sim import SimHal

    hal = SimHal({"seed": 1, "cells": []}, board.LIMITS, board.LAMP_NM)
    hal.heater.renew(40000)
    now = hal.clock.ticks_us()
    assert hal.heater.average_u16(now, 100_000) == 40000
    assert hal.heater.average_u16(now + 100_000, 100_000) == 20000  # half of the slot is beyond the lease
    assert hal.heater.average_u16(now + 200_000, 100_000) == 0
    assert hal.heater.lapsed() and not hal.heater.lapsed()
