"""Every plan of the library, run once on the virtual rig for all tests of a session, whichever worker asks first.

`run_of(name, shared)` returns the folder of its completed run: made by the first caller, waited for by the others. Whoever goes through all
plans in a file of its own does well to begin at the other end of `names()` than the other file: then two workers share the work.

Most plans run as they are. What holds the rig busy for a day or more (heat, light: every tick is lived through) is made shorter by the
plan's own inputs, `inputs_of`; waits with everything off are slept through, so months of storage run whole.
"""

import fcntl
import json
from contextlib import contextmanager
from pathlib import Path

from remnant import library
from remnant.cli.output import Output
from remnant.cli.running import Wish, run_all

SEED = 1
SHORTER = {
    "colloidal": {"telemetry": "1 h"},
    "flow-continuous": {"periods": "1"},
    "humid-40-75": {"duration": "4 h"},
    "isos-d-2": {"duration": "2 h"},
    "isos-d-3": {"duration": "2 h"},
    "isos-l-1": {"duration": "2 h"},
    "isos-l-2": {"duration": "2 h"},
    "isos-lc-2h": {"cycles": "2"},
    "isos-lc-8h": {"lit": "30 min", "dark": "1 h", "cycles": "2"},
    "isos-lc-24h": {"lit": "1 h", "dark": "1 h"},
    "isos-lt-1": {"dwell": "30 min", "cycles": "2"},
    "isos-t-1": {"cycles": "2"},
    "light-14h": {"duration": "1 h"},
    "light-24h": {"duration": "1 h"},
    "light-42h": {"duration": "2 h"},
    "light-48h": {"duration": "2 h"},
    "uv-365": {"duration": "1 h"},  # whole in `remnant demo`
}


def names():
    """The names of the plans of the library."""
    return library.names()


def inputs_of(name):
    """What the tests set of a plan's inputs: {"duration": "3 h"}, or nothing."""
    return SHORTER.get(name, {})


def shared_folder(tmp_path_factory, worker_id="master"):
    """The folder that all workers of this session see."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "library-runs"
    folder.mkdir(exist_ok=True)
    return folder


def run_of(name, shared, inputs=None):
    """Run a plan, by its name in the library or its file, unless it has been; return the run's folder. It must have completed.

    inputs: those of `inputs_of` when not given.
    """
    inputs = inputs_of(name) if inputs is None else inputs
    label = Path(name).stem + "".join(f"-{key}={value}" for key, value in sorted(inputs.items())).replace("/", "_")
    folder = shared / label
    with _alone(shared / f"{label}.lock"):
        if not folder.exists():
            silent = Output(False)
            silent.say = lambda text: None
            run_all([Wish(label, str(name), dict(inputs), folder, scenario={"seed": SEED})], silent)
    manifest = manifest_of(folder)
    assert manifest["status"] == "completed", (name, manifest["status"], manifest.get("end_code"))
    return folder


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


@contextmanager
def _alone(path):
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
