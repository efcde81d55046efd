"""Checks of a board's table of pins, before anything is driven: is this the chip, has each pin one use?

What is wrong is said at the prompt and kept in `last_error.txt`, because a board fails faster than a host opens its port.
"""

import sys

_ADC_0 = 26


def refuse(text):
    """Raise RuntimeError(text) and keep it for `mpremote cat :last_error.txt`; flash is written only when it says something else."""
    try:
        with open("/last_error.txt") as file:
            known = file.read()
    except OSError:
        known = None
    if known != text:
        try:
            with open("/last_error.txt", "w") as file:
                file.write(text)
        except OSError:
            pass  # a full flash: the prompt has said it
    raise RuntimeError(text)


def check_chip(chip):
    """Raises RuntimeError when this is another chip than board.py is for."""
    machine = sys.implementation._machine
    if chip not in machine:
        refuse("E714: board.py is for %s, this is a %s. Flash the files of its own folder in boards/" % (chip, machine))


def check_pins(pins):
    """Raises RuntimeError when a pin has two uses, or none of the chip's."""
    uses = {}
    for use in sorted(pins):
        value = pins[use]
        if use in ("step_pulse_cycles", "led_states"):
            continue
        for pin in value if isinstance(value, tuple) else (value,):
            if pin is None:
                continue
            pin = pin + _ADC_0 if use.endswith("_adc") else pin
            for each in range(pin, pin + 4) if use == "probe" else (pin,):
                if not 0 <= each <= 29:
                    refuse("E715: pin %d, for %s, is none of this chip (0..29)" % (each, use))
                if each in uses:
                    refuse("E715: pin %d is used twice, for %s and %s. Give each its own pin in board.py" % (each, uses[each], use))
                uses[each] = use
