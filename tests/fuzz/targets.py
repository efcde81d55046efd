"""The targets by name, and where their imports lie."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CORPUS = HERE / "corpus"
PORTABLE = ("codec", "frame", "program", "messages", "packing", "spool", "boot")
TARGETS = (*PORTABLE, "host")
# modules whose branches guide the fuzzer
_RUNS = ["rig.executor", "rig.probe", "rig.pump", "rig.lamp", "rig.heater", "rig.checkpoint", "rig.recovery", "rig.store"]
GUIDES = {
    "codec": ["remnant_protocol.codec"],
    "frame": ["remnant_protocol.frame"],
    "program": ["remnant_protocol.program", "rig.app", *_RUNS],
    "messages": ["rig.app", "rig.link", "rig.commands", "rig.settings", "rig.describe", *_RUNS],
    "packing": ["remnant_protocol.packing"],
    "spool": ["rig.spool", "rig.journal"],
    "boot": ["rig.app", "rig.spool", "rig.journal", "rig.history", "rig.checkpoint", "rig.recovery", "rig.settings", "rig.store"],
    "host": ["remnant.link.line", "remnant.link.order"],
}
_FOLDERS = ("tests/fuzz", "tests/firmware", "boards/virtual", "firmware", "protocol", "boards", "host", "boards/virtual/cpython")


def folders() -> list[str]:
    """Import path of a process that runs targets on CPython."""
    return [str(ROOT / folder) for folder in _FOLDERS]


def use_folders() -> None:
    sys.path[:0] = folders()
