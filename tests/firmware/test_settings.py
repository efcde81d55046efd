from fake_hal import FakeStore, raises

from remnant_protocol import codec
from remnant_protocol.errors import SETTING_RANGE, SETTING_UNKNOWN
from rig.settings import TABLE, Settings


def test_defaults_lie_inside_their_ranges_and_names_are_unique():
    assert len(set([row[0] for row in TABLE.values()])) == len(TABLE)
    for name, default, lowest, highest in TABLE.values():
        assert lowest <= default <= highest, name


def test_a_value_survives_a_restart():
    store = FakeStore()
    Settings(store).put(1, 1234)
    assert Settings(store)["heater_kp_u16_per_k"] == 1234


def test_out_of_range_and_unknown_are_refused_and_change_nothing():
    settings = Settings(FakeStore())
    was = settings["heater_kp_u16_per_k"]
    error = raises(SETTING_RANGE, settings.put, 1, 10001)
    assert (error.where, error.value, error.limit) == ("heater_kp_u16_per_k", 10001, 10000)
    raises(SETTING_RANGE, settings.put, 1, True)
    raises(SETTING_RANGE, settings.put, 1, 1.5)
    raises(SETTING_UNKNOWN, settings.put, 199, 1)
    assert settings["heater_kp_u16_per_k"] == was


def test_a_kept_value_outside_its_range_is_not_used():
    store = FakeStore()
    store.save("settings", codec.encode({1: 99999, 250: 1}))
    assert Settings(store)["heater_kp_u16_per_k"] == TABLE[1][1]


def test_a_damaged_store_gives_defaults():
    store = FakeStore()
    store.save("settings", b"\xc1\xff\x00")
    assert Settings(store)["ntc_beta_k"] == 3950
