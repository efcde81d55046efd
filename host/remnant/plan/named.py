"""Names that a plan may use and others define: the samples of a virtual rig (boards/plant/ageing.py) and the protocols that a report holds
a run to (remnant.analyse.compliance). Tests hold both lists to theirs."""

from __future__ import annotations

from typing import Literal

SampleModel = Literal[
    "templated",
    "control",
    "fresh",
    "ag",
    "ag2s",
    "ag2s-bare",
    "cds",
    "cds-bare",
    "cspbi3-oxide",
    "cspbi3-bare",
    "mn-sio2",
    "mn-sio2-bare",
    "paa-ps",
    "paa-ps-bare",
    "pbso4",
    "pbso4-bare",
    "rb4pbbr6",
    "rb4pbbr6-bare",
    "sio2-janus",
    "sio2-janus-bare",
    "sio2-shell",
    "sio2-shell-bare",
    "tio2",
    "tio2-bare",
    "zns",
    "zns-bare",
    "znso4",
    "znso4-bare",
    "zro2-janus",
    "zro2-janus-bare",
]

ProtocolName = Literal[
    "ISOS-D-1",
    "ISOS-D-2",
    "ISOS-D-3",
    "ISOS-T-1",
    "ISOS-L-1",
    "ISOS-L-2",
    "ISOS-LC-1",
    "ISOS-LT-1",
    "ICH Q1B near-UV",
]
