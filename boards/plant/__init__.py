"""One model of rig and sample, in integers, for CPython and MicroPython. `plant.rig.Plant` is the whole of it; see README.md."""
