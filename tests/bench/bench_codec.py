"""What a telemetry record costs to encode: our template, a generic msgpack, json; microseconds and bytes, in one run per interpreter."""

from __future__ import annotations

import json
import subprocess

from conftest import interpreter_command

# Runs on every interpreter. "Generic msgpack" is codec.encode_into, which takes any value: what a board would use without a template.
SOURCE = """
import gc, json, sys, time
from remnant_protocol import codec, frame
values = [123456, 17280, 500000, 2, 3, 80000, 79987, 25000, 13107, 10012, 1728000, 1700]
names = ["seq", "t_s", "t_us", "state", "step", "setpoint_mc", "temp_mc", "heater_u16", "lamp_u16",
         "irradiance_uw", "exposure_mj", "late_us"]
record = codec.TelemetryRecord()
body = [64] + values
named = {}
for i in range(len(names)):
    named[names[i]] = values[i]
buffer = bytearray(300)
out = bytearray(300)
if sys.implementation.name == "micropython":
    ticks, diff = time.ticks_us, time.ticks_diff
else:
    ticks, diff = lambda: time.perf_counter() * 1e6, lambda a, b: a - b
pack, encode_into, frame_into, dumps = record.pack, codec.encode_into, frame.encode_into, json.dumps
def template(): pack(123456, 17280, 500000, 2, 3, 80000, 79987, 25000, 13107, 10012, 1728000, 1700)
def generic(): encode_into(body, buffer, 0)
def as_json(): dumps(named)
def whole(): frame_into(record.buffer, pack(123456, 17280, 500000, 2, 3, 80000, 79987, 25000, 13107, 10012, 1728000, 1700), out)
told = {"template_size": len(record.buffer), "json_size": len(dumps(named))}
for name, call in (("template", template), ("generic", generic), ("json", as_json), ("frame", whole)):
    times = []
    for _ in range(9):
        gc.collect()
        began = ticks()
        for _ in range(1000): call()
        times.append(diff(ticks(), began) / 1000)
    told[name + "_us"] = sorted(times)[4]
    told[name + "_bytes"] = None
    if hasattr(gc, "mem_alloc"):
        gc.collect(); gc.disable(); call(); before = gc.mem_alloc()
        for _ in range(20): call()
        told[name + "_bytes"] = (gc.mem_alloc() - before) // 20
        gc.enable()
print(json.dumps(told))
"""


def measured(interpreter: str) -> dict:
    command, environment = interpreter_command(interpreter)
    return json.loads(subprocess.run([*command, "-c", SOURCE], env=environment, capture_output=True, check=True).stdout)


def run() -> list[dict]:
    rows = []
    for interpreter, label in (("micropython-i386", "i386"), ("micropython-amd64", "amd64"), ("cpython", "cpython")):
        told = measured(interpreter)
        beside = f"json {told['json_us']:.2f} us, generic msgpack {told['generic_us']:.2f} us"
        rows.append(_row(f"codec_encode_us_{label}", told["template_us"], "us", "", beside))
        ratio = told["json_us"] / told["template_us"]
        rows.append(_row(f"codec_encode_vs_json_ratio_{label}", ratio, "x", ">= 3" if label == "i386" else "", "json of the same record"))
        generic = told["generic_us"] / told["template_us"]
        rows.append(_row(f"codec_encode_vs_generic_ratio_{label}", generic, "x", "", "generic msgpack of the same record"))
        rows.append(_row(f"codec_frame_us_{label}", told["frame_us"], "us", "", "record, CRC-32 and COBS together"))
        if told["template_bytes"] is not None:
            beside = f"json {told['json_bytes']} B, generic msgpack {told['generic_bytes']} B, whole frame {told['frame_bytes']} B"
            rows.append(_row(f"codec_encode_alloc_bytes_{label}", told["template_bytes"], "B", "== 0", beside))
    rows.append(_row("telemetry_record_bytes", told["template_size"], "B", "", f"json {told['json_size']} B"))
    return rows


def _row(name, value, unit, goal, compared_with) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": compared_with}
