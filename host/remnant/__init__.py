"""Remnant: plan, run, record and analyse stress tests of luminescent nanocrystals.

async with remnant.open_rig("virtual") as rig:
    await rig.heater.ramp_to(80.0, ramp_c_per_min=5.0)
    readings = await rig.probe(pulses=16)
"""

__all__ = ["open_rig"]


def __getattr__(name: str):
    if name == "open_rig":  # loaded when asked for: the command line starts faster without it
        from .rig import open_rig

        return open_rig
    raise AttributeError(f"module 'remnant' has no attribute {name!r}")
