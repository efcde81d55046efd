"""What a person can get wrong with a chip is refused with a sentence, the outputs safe (hal/rp2/wiring.py, host/remnant/firmware.py)."""

import pytest

from bench_rig import ROOT, Rig, flash_files
from filesystem import read_filesystem
from remnant import firmware
from remnant_protocol import errors as codes
from trains import rises

BOARD = (ROOT / "boards/rpi_pico/board.py").read_text(encoding="utf-8")
OUTPUTS = (2, 3, 4, 5, 10, 11, 12, 18, 19)


def told(board):
    """What a board with this board.py has to say; it is at its prompt and no output has moved."""
    files = {name: data for name, data in flash_files().items() if name != "board.mpy"}
    assert board != BOARD
    with Rig(files={**files, "board.py": board}) as rig:
        for pin in OUTPUTS:
            rig.pins[pin].record()
        rig.power_cycle()
        rig.run_ms(1500)
        for pin in OUTPUTS:
            assert not rises(rig.pins[pin].edges()), pin
        rig.repl.enter()
        return read_filesystem(rig.flash_image())["last_error.txt"].decode()


def test_a_pin_with_two_uses_is_refused():
    text = told(BOARD.replace('"lamp": 11', '"lamp": 10'))
    assert "E715: pin 10 is used twice, for heater and lamp" in text


def test_an_address_line_of_the_multiplexer_counts_as_used():
    text = told(BOARD.replace('"interlock": 16', '"interlock": 14'))
    assert "E715: pin 14 is used twice, for interlock and probe" in text


def test_a_pin_that_the_chip_has_not_is_refused():
    assert "E715: pin 31, for heater, is none of this chip" in told(BOARD.replace('"heater": 10', '"heater": 31'))


def test_a_board_file_for_another_chip_is_refused():
    text = told(BOARD.replace('CHIP = "RP2040"', 'CHIP = "RP2350"'))
    assert "E714: board.py is for RP2350, this is a Raspberry Pi Pico with RP2040" in text


def test_a_missing_module_leaves_the_outputs_safe_and_the_prompt_on_the_line():
    files = {name: data for name, data in flash_files().items() if name != "rig/app.mpy"}
    with Rig(files=files) as rig:
        for pin in OUTPUTS:
            rig.pins[pin].record()
        rig.run_ms(1500)
        rig.repl.enter()
        assert rig.repl.exec("print(1 + 1)").strip() == "2"
        for pin in OUTPUTS:
            assert not rises(rig.pins[pin].edges()), pin


def test_a_board_that_nobody_has_described_is_unknown():
    with pytest.raises(codes.RigError) as refused:
        firmware.sources("arduino")
    assert refused.value.code == codes.BOARD_UNKNOWN and "rpi_pico" in refused.value.limit


@pytest.mark.parametrize("board", firmware.BOARDS)
def test_every_board_compiles_for_its_chip(board):
    files = firmware.compiled(board)
    assert all(data[:1] == b"M" for name, data in files.items() if name.endswith(".mpy"))
    assert sum(map(len, files.values())) < 200_000


def test_a_source_that_does_not_compile_is_named(monkeypatch):
    good = firmware.sources("rpi_pico")
    monkeypatch.setattr(firmware, "sources", lambda board: {**good, "rig/lamp.py": b"def ("})
    with pytest.raises(codes.RigError) as refused:
        firmware.compiled("rpi_pico")
    assert refused.value.code == codes.FIRMWARE_BUILD and refused.value.where == "rig/lamp.py"


def test_the_hash_of_the_firmware_is_what_the_board_tells(firmware_welcome):
    assert firmware_welcome[5] == firmware.firmware_hash(firmware.sources("rpi_pico"))
    assert firmware_welcome[13] is True  # simulated: the emulated chip says so


@pytest.fixture
def firmware_welcome():
    from bench_host import Host

    with Rig() as rig:
        return Host(rig).hello()
