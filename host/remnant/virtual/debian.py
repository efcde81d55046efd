"""Packages from Debian without root: an apt with its own state, the mirror that this machine uses, signatures checked, nothing installed.

Imports the standard library only: the set-up of the project uses this file before anything is installed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FETCH_S = 300


class Unavailable(Exception):
    """A package cannot be had here; the text says why."""


def apt(work: Path, arch: str, suite: str = SUITE) -> dict[str, str]:
    """Return the environment of an apt that keeps its state in `work` and has a suite's lists for `arch`. Raises Unavailable."""
    for tool in ("apt-get", "apt-cache", "dpkg-deb"):
        if not shutil.which(tool):
            raise Unavailable(f"{tool} is not here")
    mirror = _mirror()
    work.mkdir(parents=True, exist_ok=True)
    for folder in ("lists/partial", "cache/archives/partial", "sources.d"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    (work / "sources.d/debian.sources").write_text(
        f"Types: deb deb-src\nURIs: {mirror}\nSuites: {suite}\nComponents: main\nArchitectures: {arch}\nSigned-By: {KEYRING}\n"
    )
    user = run(["id", "-un"], dict(os.environ), work).strip()
    (work / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "{work}/sources.d"; Dir::State::lists "{work}/lists";\n'
        f'Dir::State::status "{work}/status"; Dir::Cache "{work}/cache"; APT::Architecture "{arch}"; APT::Architectures {{"{arch}";}};\n'
        f'Acquire::Languages "none"; APT::Sandbox::User "{user}";\n'
    )
    environment = {**os.environ, "APT_CONFIG": str(work / "apt.conf")}
    run(["apt-get", "-qq", "update"], environment, work)
    return environment


def unpack(packages: list[str], environment: dict[str, str], work: Path) -> Path:
    """Download packages and unpack them into one folder, which is returned. Raises Unavailable."""
    (work / "debs").mkdir()
    run(["apt-get", "-qq", "download", *packages], environment, work / "debs")
    for package in sorted((work / "debs").glob("*.deb")):
        run(["dpkg-deb", "-x", str(package), str(work / "root")], environment, work)
    return work / "root"


def sources(packages: list[str], environment: dict[str, str], work: Path) -> list[Path]:
    """Download and unpack the original sources of packages, without Debian's patches; returns their folders. Raises Unavailable."""
    folder = work / "sources"
    folder.mkdir()
    found = []
    for package in packages:
        run(["apt-get", "-qq", "source", "--download-only", package], environment, folder)
        (tarball,) = folder.glob(f"{package}_*.orig.tar.*")
        into = folder / package
        with tarfile.open(tarball) as archive:
            archive.extractall(into, filter="data")
        inside = list(into.iterdir())
        found.append(inside[0] if len(inside) == 1 else into)
    return found


def own_suite() -> str:
    """The suite that this machine itself is of. Raises Unavailable."""
    with contextlib.suppress(OSError):
        for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
            if line.startswith("VERSION_CODENAME="):
                return line.partition("=")[2].strip('"')
    raise Unavailable("/etc/os-release names no suite")


def run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    """Run a command and return its output. Raises Unavailable with the end of its error output."""
    try:
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=FETCH_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]} failed: {error}") from None
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _mirror() -> str:
    """The Debian mirror this machine uses."""
    told = run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"], dict(os.environ), Path("/"))
    for site in told.split():
        if "security" not in site:
            return site
    raise Unavailable("the apt sources of this machine name no mirror")
