"""The words host and board say to each other. Runs on CPython 3.11+ and MicroPython 1.25+; see ../SPEC.md."""
