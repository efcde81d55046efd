"""Every plan of the library, run once on the virtual rig for all tests of a session, whichever worker asks first.

`run_of(name, shared)` returns the folder of its completed run: made by the first caller, waited for by the others. Whoever goes through all
plans in a file of its own does well to begin at the other end of `names()` than the other file: then two workers share the work.
"""

import fcntl
import json
from contextlib import contextmanager
from pathlib import Path

from remnant import library
from remnant.cli.output import Output
from remnant.cli.running import Wish, run_all

SEED = 1


def names():
    """The names of the plans of the library."""
    return library.names()


def shared_folder(tmp_path_factory, worker_id="master"):
    """The folder that all workers of this session see."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "library-runs"
    folder.mkdir(exist_ok=True)
    return folder


def run_of(name, shared, inputs=None):
    """Run a plan, by its name in the library or its file, unless it has been; return the run's folder. It must have completed."""
    label = Path(name).stem + "".join(f"-{key}={value}" for key, value in sorted((inputs or {}).items())).replace("/", "_")
    folder = shared / label
    with _alone(shared / f"{label}.lock"):
        if not folder.exists():
            silent = Output(False)
            silent.say = lambda text: None
            run_all([Wish(label, str(name), inputs or {}, folder, scenario={"seed": SEED})], silent)
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
