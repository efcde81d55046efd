"""The flash file system of a board as an image, from and to a dict of paths (PyPI littlefs-python, disk version 2.0)."""

from pathlib import PurePosixPath

from littlefs import LittleFS

BLOCK_BYTES = 4096
BLOCK_COUNT = 352  # 1408 KiB, what MicroPython gives the file system on RPI_PICO
OFFSET = 0xA0000
_DISK_VERSION = 0x00020000
# MicroPython's settings of littlefs 2 (ports/rp2, extmod/vfs_lfs): read and program 32 bytes at a time, 32 bytes of lookahead
_GEOMETRY = {
    "block_size": BLOCK_BYTES,
    "block_count": BLOCK_COUNT,
    "read_size": 32,
    "prog_size": 32,
    "cache_size": 128,
    "lookahead_size": 32,
}


def make_filesystem(files: dict[str, bytes | str]) -> bytes:
    """Image with these files; folders are made as the paths name them. Text is stored as UTF-8."""
    disk = LittleFS(**_GEOMETRY, disk_version=_DISK_VERSION)
    for path, content in files.items():
        folder = str(PurePosixPath(path).parent)
        if folder not in (".", "/"):
            disk.makedirs(folder, exist_ok=True)
        with disk.open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
    return bytes(disk.context.buffer)


def read_filesystem(image: bytes) -> dict[str, bytes]:
    """Every file of an image (or of a dump of the whole flash) with its path."""
    if len(image) > BLOCK_BYTES * BLOCK_COUNT:
        image = image[OFFSET : OFFSET + BLOCK_BYTES * BLOCK_COUNT]
    disk = LittleFS(**_GEOMETRY, mount=False)  # any version: MicroPython raises it when it writes
    disk.context.buffer[:] = image
    disk.mount()
    files = {}
    for folder, _, names in disk.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with disk.open(path, "rb") as file:
                files[path.lstrip("/")] = file.read()
    return files
