"""Which port is meant."""

import pytest

from remnant.link import ports
from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError


@pytest.fixture
def usb(monkeypatch):
    monkeypatch.setattr(ports, "find_ports", lambda: [ports.Port("/dev/ttyACM7", "E6614103E7", "Board in FS mode")])


def test_by_usb_serial_number(usb):
    assert ports.resolve_port("E6614103E7") == "/dev/ttyACM7"


def test_by_path(usb, tmp_path):
    path = tmp_path / "port"
    path.touch()
    assert ports.resolve_port(str(path)) == str(path)


def test_neither(usb):
    with pytest.raises(RigError) as raised:
        ports.resolve_port("E0000000")
    assert raised.value.code == codes.PORT_NOT_FOUND
    assert raised.value.where == "E0000000"
