import numpy as np

from remnant.report.reduce import thinned


def test_thinned_line_keeps_spikes_gaps_and_order():
    x = np.arange(100_000.0)
    y = np.zeros(100_000)
    y[54_321], y[54_400] = 9.0, -7.0
    y[70_000:80_000] = np.nan
    tx, ty = thinned(x, y)
    assert len(tx) <= 700
    assert np.nanmax(ty) == 9.0 and np.nanmin(ty) == -7.0
    assert np.isnan(ty).any()
    assert np.all(np.diff(tx) > 0)


def test_short_line_is_left_alone():
    x = np.arange(5.0)
    assert thinned(x, x)[0] is x
