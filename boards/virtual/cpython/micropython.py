"""What the firmware takes from the `micropython` module, for CPython: names only, no behaviour of its own."""


def const(value):
    return value


def native(function):
    return function


viper = native


def kbd_intr(character):
    """CPython's terminal is raw on the virtual board: Ctrl-C is data already."""
