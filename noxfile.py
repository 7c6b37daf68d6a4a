"""The checks, by name: `nox -s NAME`, or `sh test.sh` for everything on a machine with nothing on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

# The sessions run in the environment that called nox: test.sh builds it once, and a check that made its own would test
# an installation nobody uses. `build` alone makes a fresh one, because that is what it checks.
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "unit", "engine", "privileged", "e2e", "snapshots", "build"]
nox.options.error_on_external_run = False

SCRIPTS = (
    "up.sh",
    "test.sh",
    ".ci/run",
    "tests/rootfs/run.sh",
    "tests/rootfs/first.sh",
    "tests/vm/inside.sh",
    "tests/vm/alone.sh",
)
SOURCES = ("core", "tui", "debugimages", "tests", "benchmarks", "noxfile.py")


def pytest(session: nox.Session, *arguments: str) -> None:
    """Runs pytest with what the caller gave after `--`."""
    session.run(sys.executable, "-m", "pytest", *arguments, *session.posargs)


def side_by_side(session: nox.Session, *arguments: str) -> None:
    """The same for tests that share nothing of the machine; by one process where something was asked."""
    workers = [] if session.posargs else ["-n", str(os.cpu_count() or 1), "--dist", "loadfile"]
    pytest(session, *workers, *arguments)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, likely bugs, and which room may import which."""
    session.run("ruff", "check", *SOURCES)
    session.run("ruff", "format", "--check", *SOURCES)
    session.run("lint-imports", "--no-cache")
    session.run("shellcheck", *SCRIPTS)


@nox.session
def types(session: nox.Session) -> None:
    """Both type checkers."""
    session.run("mypy")
    session.run("pyright")


@nox.session
def unit(session: nox.Session) -> None:
    """Fast tests: no root, no engine, no network but unix sockets and localhost."""
    side_by_side(session, "tests/core", "tests/tui")


@nox.session
def engine(session: nox.Session) -> None:
    """The contract of the engine client, over every engine at hand."""
    side_by_side(session, "tests/engine")


@nox.session
def privileged(session: nox.Session) -> None:
    """Namespaces, mounts and cgroups: needs root and a Docker Engine."""
    if session.posargs:
        pytest(session, "tests/privileged", "tests/daemon")
        return
    pytest(session, "tests/privileged")
    side_by_side(session, "tests/daemon")  # each process has an engine of its own


@nox.session
def e2e(session: nox.Session) -> None:
    """The installed `pyd` in a real terminal against real containers."""
    pytest(session, "tests/e2e")


@nox.session
def snapshots(session: nox.Session) -> None:
    """The dashboard's screens, compared with `snapshots/`; `-- --snapshot-update` renews them."""
    side_by_side(session, "tests/snapshots")


@nox.session
def matrix(session: nox.Session) -> None:
    """The debug shell on every kind of container, state, way and engine; writes docs/development/debug-matrix.md."""
    session.env["PYD_MATRIX"] = "docs/development/debug-matrix.md"
    pytest(session, "tests/matrix")


@nox.session
def packs(session: nox.Session) -> None:
    """Make each toolbox pack, try its tools, and write docs/reference/toolbox-packs.md; not part of the default run."""
    session.env["PYD_PACKS"] = "docs/reference/toolbox-packs.md"
    pytest(session, "tests/packs")


@nox.session
def bench(session: nox.Session) -> None:
    """Speed, as ratios beside a peer in one run; not part of the default run."""
    session.run(sys.executable, "benchmarks/run.py", *session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """Requests made up from the Engine API's specification against the embedded engine; not part of the default run."""
    session.run(sys.executable, "-m", "pip", "install", "-q", "--group", "contract")
    pytest(session, "tests/contract")


@nox.session
def clients(session: nox.Session) -> None:
    """Other people's clients, fetched from their registries, on both engines; not part of the default run."""
    pytest(session, "-rA", "tests/clients")


@nox.session
def stress(session: nox.Session) -> None:
    """Hundreds of containers, a hundred kills, every attack, an hour of archives and of printing; only by name."""
    session.env |= {"PYD_KILLS": "100", "PYD_ATTACKS": "1"}
    session.env.setdefault("PYD_SOAK_MINUTES", os.environ.get("PYD_SOAK_MINUTES", "60"))
    pytest(session, "tests/stress", "tests/daemon/test_crash.py", "tests/privileged/attacks")


@nox.session
def vm(session: nox.Session) -> None:
    """Suites in an emulated machine with pure cgroup v2 (`-- tests/privileged/triage`); slow, so by name only."""
    session.run(sys.executable, "tests/vm/run.py", *session.posargs)


@nox.session
def fresh(session: nox.Session) -> None:
    """The first minutes on a bare Debian root file system, of this release or `-- --suite bookworm`; by name only."""
    session.run("sh", "tests/rootfs/run.sh", *session.posargs, "sh tests/rootfs/first.sh", external=True)


@nox.session(venv_backend="venv")
def build(session: nox.Session) -> None:
    """Builds the wheel, installs it in a fresh environment and runs the command from there."""
    session.install("build")
    out = Path(session.create_tmp())
    session.run("python", "-m", "build", "--wheel", "--outdir", str(out), silent=True)
    wheel = max(out.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    session.install(str(wheel))
    session.run("pyd", "version", "--client")
