"""A wall clock that is set is noticed; one that goes on is not."""

from remnant.run import wallclock


def test_only_a_jump_is_told_and_once(monkeypatch):
    now = {"utc": 1000.0, "steady": 5.0}
    monkeypatch.setattr(wallclock.time, "time", lambda: now["utc"])
    monkeypatch.setattr(wallclock, "_steady", lambda: now["steady"])
    clock = wallclock.WallClock()
    now.update(utc=1100.0, steady=105.0)
    assert clock.jumped() is None
    now.update(utc=1100.9, steady=105.0)
    assert clock.jumped() is None
    now.update(utc=4700.9, steady=105.0)
    assert clock.jumped() == {"utc_s": 4700.9, "by_s": 3600.0}
    assert clock.jumped() is None
    now.update(utc=4600.9, steady=105.0)
    assert clock.jumped()["by_s"] == -100.0
