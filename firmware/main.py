"""Start of the firmware after boot.py. The board's own `board.py` says which hardware it is.

Whatever ends the application, outputs are made safe and the board restarts: MicroPython's prompt must never be left with a heater on.
"""

import micropython

micropython.kbd_intr(-1)  # first of all: 3 is a byte like any other, also while modules load

import gc  # noqa: E402

threshold = getattr(gc, "threshold", lambda size: None)  # CPython has none of its own
threshold(4096)  # collect often while modules load: what stays lies close together, and large buffers find room behind it

import board  # noqa: E402

from rig.app import App  # noqa: E402


def main():
    hal = board.make_hal()
    try:
        app = App(hal)
        gc.collect()
        threshold(-1)  # from here on the loop allocates next to nothing
        app.run()
    except Exception as error:
        hal.tell_exception(error)
    finally:
        hal.all_off()
        hal.reset()


main()
