"""What a telemetry record costs to encode: our template, a generic msgpack, json; microseconds and bytes, in one run per interpreter."""

from __future__ import annotations

import json
import subprocess

from conftest import interpreter_command

# Runs on every interpreter. "Map" is a template like ours whose fields carry their names, json's information in msgpack's form.
# "Generic msgpack" is codec.encode_into, which takes any value: what a board would use without a template.
SOURCE = r"""
import gc, json, struct, sys, time
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
# the map as one pack_into too: a head, then key, tag and value of every field, written out as TelemetryRecord.pack is
tags = {"B": 0xCC, "H": 0xCD, "I": 0xCE, "i": 0xD2}
form, parts = ">B", "0x8C"
for name, kind in zip(names, "IIIBHiiHHIII"):
    form += "%dsB%s" % (len(name) + 1, kind)
    parts += ", %r, %d, %s" % (bytes([0xA0 | len(name)]) + name.encode(), tags[kind], name)
map_buffer = bytearray(struct.calcsize(form))
space = {"pack_into": struct.pack_into, "form": form, "buffer": map_buffer}
exec("def map_pack(%s):\n    pack_into(form, buffer, 0, %s)\n    return len(buffer)" % (", ".join(names), parts), space)
map_pack = space["map_pack"]
map_pack(*values)
assert codec.decode(map_buffer) == named
def template(): pack(123456, 17280, 500000, 2, 3, 80000, 79987, 25000, 13107, 10012, 1728000, 1700)
def generic(): encode_into(body, buffer, 0)
def as_map(): map_pack(123456, 17280, 500000, 2, 3, 80000, 79987, 25000, 13107, 10012, 1728000, 1700)
def as_json(): dumps(named)
def whole(): frame_into(record.buffer, pack(123456, 17280, 500000, 2, 3, 80000, 79987, 25000, 13107, 10012, 1728000, 1700), out)
calls = [("template", template), ("generic", generic), ("map", as_map), ("json", as_json), ("frame", whole)]
if sys.implementation.name != "micropython":
    import msgpack
    packb = msgpack.packb
    def package(): packb(body)
    calls.append(("package", package))
told = {"template_size": len(record.buffer), "map_size": len(map_buffer), "json_size": len(dumps(named))}
for name, call in calls:
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
    else:  # CPython frees at once: the most it held at a time
        import tracemalloc
        call(); tracemalloc.start(); call(); tracemalloc.reset_peak(); before = tracemalloc.get_traced_memory()[0]
        call()
        told[name + "_bytes"] = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
print(json.dumps(told))
"""


def measured(interpreter: str) -> dict:
    command, environment = interpreter_command(interpreter)
    return json.loads(subprocess.run([*command, "-c", SOURCE], env=environment, capture_output=True, check=True).stdout)


def run() -> list[dict]:
    rows = []
    for interpreter, label in (("micropython-i386", "i386"), ("micropython-amd64", "amd64"), ("cpython", "cpython")):
        told = measured(interpreter)
        board = label != "cpython"
        beside = f"json {told['json_us']:.2f} us, generic msgpack {told['generic_us']:.2f} us, map template {told['map_us']:.2f} us"
        if not board:
            beside += f", the msgpack package (C) {told['package_us']:.2f} us"
        rows.append(_row(f"codec_encode_us_{label}", told["template_us"], "us", "", beside))
        ratio = told["json_us"] / told["template_us"]
        rows.append(_row(f"codec_encode_vs_json_ratio_{label}", ratio, "x", ">= 3" if label == "i386" else "", "json of the same record"))
        generic = told["generic_us"] / told["template_us"]
        rows.append(_row(f"codec_encode_vs_generic_ratio_{label}", generic, "x", "", "generic msgpack of the same record"))
        by_map = told["map_us"] / told["template_us"]
        rows.append(_row(f"codec_encode_vs_map_ratio_{label}", by_map, "x", "", "template of a map with constant keys"))
        rows.append(_row(f"codec_frame_us_{label}", told["frame_us"], "us", "", "record, CRC-32 and COBS together"))
        others = [
            f"{name} {told[key + '_bytes']} B" for name, key in (("json", "json"), ("generic msgpack", "generic"), ("map template", "map"))
        ]
        others.append(f"whole frame {told['frame_bytes']} B")
        goal = "== 0" if board else ""
        beside = ", ".join(others) + ("" if board else "; peak, freed at once")
        rows.append(_row(f"codec_encode_alloc_bytes_{label}", told["template_bytes"], "B", goal, beside))
    rows.append(_row("telemetry_record_bytes", told["template_size"], "B", "", f"map {told['map_size']} B, json {told['json_size']} B"))
    return rows


def _row(name, value, unit, goal, compared_with) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": compared_with}
