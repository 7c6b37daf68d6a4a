"""Other people's clients: environments with them and their own tests, from their registries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.docker import Docker, busybox_files, compile_static, environment, layer
from support.dockerd import Dockerd
from support.missing import missing
from support.pydd import Pydd

INSTALL_TIMEOUT_S = 900.0
SUITE_TIMEOUT_S = 3600.0
TEST_TIMEOUT_S = 90
"""Of one test of a suite, most of which take less than a second."""

HELLO = '#include <stdio.h>\nint main(void) { puts("\\nHello from Docker!"); return 0; }'
USERS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@contextmanager
def engine(kind: str) -> Iterator[Docker]:
    """Give a corner of an engine with a network and nothing else in it: suites prune what they find.

    Args:
        kind: `docker` or `pydd`.
    """
    if kind == "pydd":
        with Pydd.started() as pydd:
            yield Docker(host=pydd.host)
            Docker(host=pydd.host)("network", "prune", "-f")
            Docker(host=pydd.host)("volume", "prune", "-af")
        return
    if shutil.which("dockerd") is None:
        missing("dockerd")
    with Dockerd(options=()) as dockerd:
        yield Docker(host=dockerd.url)


def seed(docker: Docker, *names: str) -> None:
    """Make images with busybox under names that suites pull, each of its own content, and `hello-world`."""
    for name in names:
        files: dict[str, bytes | Path | str] = {**busybox_files(), **USERS, "etc/image": name}
        modes = {"tmp": 0o1777, **dict.fromkeys(USERS, 0o644)}
        root = layer(files, ("tmp", "root", "var", "home", "mnt", "etc"), modes)
        docker("import", "-c", 'CMD ["sh"]', "-c", f"ENV {PATH}", "-", name, stdin=root)
    with tempfile.TemporaryDirectory() as directory:
        hello = compile_static(HELLO, Path(directory) / "hello")
        docker("import", "-c", 'CMD ["/hello"]', "-", "hello-world:latest", stdin=layer({"hello": hello}))


def _fetched(command: Sequence[str | Path], what: str) -> None:
    """Run what gets something from a registry, and skip the test where that can't be reached."""
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S)
    except FileNotFoundError:
        missing(str(command[0]))
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        missing(f"{what} from its registry ({(error.stderr or b'').decode(errors='replace').strip()[-300:]})")


def python_with(directory: Path, *requirements: str) -> Path:
    """Make an environment with these packages, and return its `bin`."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True, capture_output=True)
    bin_ = directory / "bin"
    _fetched([bin_ / "pip", "install", "-q", *requirements], requirements[0])
    return bin_


def source_of(directory: Path, bin_: Path, requirement: str) -> Path:
    """Get a package's source archive, with its own tests, and return the directory it is unpacked in."""
    directory.mkdir()
    options = ["-q", "--no-deps", "--no-binary", ":all:", "-d", str(directory)]
    _fetched([bin_ / "pip", "download", *options, requirement], requirement)
    with tarfile.open(next(directory.glob("*.tar.gz"))) as archive:
        archive.extractall(directory, filter="data")
    return next(path for path in directory.iterdir() if path.is_dir())


def node_with(directory: Path, *packages: str) -> Path:
    """Make a directory with these packages of node's, and return it."""
    directory.mkdir()
    _fetched(["npm", "install", "--no-audit", "--no-fund", "--prefix", directory, *packages], packages[0])
    return directory


@dataclass(frozen=True)
class Outcome:
    """Outcome of a suite: the names of tests by result."""

    passed: frozenset[str]
    failed: frozenset[str]
    output: str


def run_suite(bin_: Path, source: Path, docker: Docker, *arguments: str, **variables: str) -> Outcome:
    """Run a suite of pytest's against an engine, in a home directory of its own."""
    with tempfile.TemporaryDirectory() as home:
        report = Path(home) / "report.xml"
        options = ["-q", "-p", "no:cacheprovider", "--timeout", str(TEST_TIMEOUT_S), f"--junitxml={report}"]
        variables = {"HOME": home, "DOCKER_CONFIG": home, "DOCKER_HOST": docker.host, "PYTHONPATH": "", **variables}
        done = subprocess.run(
            [bin_ / "python", "-m", "pytest", *options, *arguments],
            cwd=source,
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=SUITE_TIMEOUT_S,
        )
        assert report.exists(), done.stdout[-3000:] + done.stderr[-3000:]
        outcomes: dict[bool, set[str]] = {True: set(), False: set()}
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 - of a program we have just run
            if case.find("skipped") is None:
                bad = case.find("failure") is not None or case.find("error") is not None
                outcomes[not bad].add(f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}")
        return Outcome(frozenset(outcomes[True]), frozenset(outcomes[False]), done.stdout)


def run_script(command: Sequence[str | Path], docker: Docker, **variables: str) -> str:
    """Run a program that uses a client against an engine, and return what it prints."""
    with tempfile.TemporaryDirectory() as home:
        variables = {"HOME": home, "DOCKER_CONFIG": home, "DOCKER_HOST": docker.host, "PYTHONPATH": "", **variables}
        done = subprocess.run(
            command,
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=SUITE_TIMEOUT_S,
        )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def without(paths: Sequence[str]) -> list[str]:
    """Options that leave files out of a suite."""
    return [f"--ignore={os.fspath(path)}" for path in paths]
