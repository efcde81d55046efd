"""Make the environment: environment.py FOLDER EXTRAS. Needs python3 and a package index; neither root nor pip nor ensurepip.

Where Python came without ensurepip (Debian keeps it in python3-venv), pip's own wheel is taken from Debian's package python3-pip-whl,
fetched with the apt client that is there and unpacked beside the environment.
"""

import glob
import importlib.util
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main(folder, extras):
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
    with tempfile.TemporaryDirectory() as work:
        try:
            subprocess.run(["apt-get", "-qq", "download", "python3-pip-whl"], cwd=work, check=True)
            (package,) = glob.glob(os.path.join(work, "*.deb"))
            subprocess.run(["dpkg-deb", "-x", package, work], check=True)
        except (OSError, ValueError, subprocess.CalledProcessError):
            sys.exit("this Python has no ensurepip and python3-pip-whl cannot be fetched: apt-get install python3-venv")
        (found,) = glob.glob(os.path.join(work, "usr/share/python-wheels/pip-*.whl"))
        kept = os.path.join(folder, os.path.basename(found))
        os.replace(found, kept) if os.stat(found).st_dev == os.stat(folder).st_dev else subprocess.run(["cp", found, kept], check=True)
    return kept


main(sys.argv[1], sys.argv[2])
