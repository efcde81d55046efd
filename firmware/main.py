"""Start of the firmware after boot.py. The board's own `board.py` says which hardware it is.

Whatever ends the application, outputs are made safe and the board restarts: MicroPython's prompt must never be left with a heater on.
"""

import board

from rig.app import App


def main():
    hal = board.make_hal()
    try:
        App(hal).run()
    except Exception as error:
        hal.tell_exception(error)
    finally:
        hal.all_off()
        hal.reset()


main()
