"""Make the environment: environment.py FOLDER EXTRAS. Needs python3 and a package index; neither root nor pip nor ensurepip.

Where Python came without ensurepip (Debian keeps it in python3-venv), pip's own wheel is taken from Debian's package python3-pip-whl,
fetched with the apt client that is there and unpacked beside the environment.
"""

import glob
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main(folder, extras):
    for program, extra in (("node", "node"), ("cmake", "cmake")):  # for the emulated board, where the machine has none
        if not shutil.which(program):
            extras += "," + extra
    python = os.path.join(folder, "bin", "python")
    pip = [python, "-m", "pip"]
    if importlib.util.find_spec("ensurepip") and not os.environ.get("REMNANT_NO_ENSUREPIP"):
        if not os.path.exists(python):
            print("making the environment", folder, flush=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    else:
        if not os.path.exists(python):
            print("making the environment", folder, "with pip from Debian's python3-pip-whl", flush=True)
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        pip = [python, os.path.join(wheel(folder), "pip")]
    print("installing what remnant needs (once)", flush=True)
    command = [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-warn-script-location", "-e", f"{ROOT}[{extras}]"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    problems = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
    if problems:
        print("\n".join(problems), file=sys.stderr)
    if done.returncode:
        sys.exit("installing failed: is a package index reachable?")


def wheel(folder):
    """Path of pip's wheel, fetched once into the environment."""
    kept = glob.glob(os.path.join(folder, "pip-*.whl"))
    if kept:
        return kept[0]
    spec = importlib.util.spec_from_file_location("debian", os.path.join(ROOT, "host/remnant/virtual/debian.py"))
    debian = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(debian)
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        try:
            arch = debian.run(["dpkg", "--print-architecture"], dict(os.environ), work).strip()
            root = debian.unpack(["python3-pip-whl"], debian.apt(work, arch), work)
            (found,) = root.glob("usr/share/python-wheels/pip-*.whl")
        except (debian.Unavailable, ValueError) as error:
            sys.exit(f"this Python has no ensurepip and pip's wheel cannot be fetched ({error}): apt-get install python3-venv")
        return shutil.copy(found, folder)


main(sys.argv[1], sys.argv[2])
