"""The checks, by name: `nox -s NAME`, or `sh test.sh` for everything on a machine with nothing on it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import nox

# The sessions run in the environment that called nox: test.sh builds it once, and a check in another environment would
# test another installation than the one in use. Only `build` creates a fresh one, because that is what it checks.
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "unit", "engine", "privileged", "daemon", "e2e", "snapshots", "build"]
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

MAX_REPEATED_TESTS = 3
"""How many failed tests of a session CI runs a second time; more of them are no coincidence."""
LONG = "--timeout=900"
"""For suites of long tests; those of the default run end within the limit in pyproject.toml, or are marked."""


def pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest with the arguments after `--`.

    With CI set, a few failed tests run once more, alone. A test that fails only together with others on a loaded
    machine is still a defect: a warning names it, and so does the summary of test.sh.
    """
    run = (sys.executable, "-m", "pytest")
    if not os.environ.get("CI") or session.posargs:
        session.run(*run, *arguments, *session.posargs)
        return
    with tempfile.TemporaryDirectory() as cache:
        options = ("-o", f"cache_dir={cache}", "-p", "cacheprovider")
        try:
            session.run(*run, *arguments, *options)
        except nox.command.CommandFailed:
            failures = Path(cache) / "v" / "cache" / "lastfailed"
            failed: list[str] = sorted(json.loads(failures.read_text())) if failures.exists() else []
            if not 0 < len(failed) <= MAX_REPEATED_TESTS:
                raise
            session.run(*run, *failed, *options)
            session.warn(f"Passed on a second attempt only: {', '.join(failed)}")
            if log := os.environ.get("PYD_REPEATED_TESTS"):
                with Path(log).open("a") as file:
                    file.writelines(f"  {name}\n" for name in failed)


def side_by_side(session: nox.Session, *arguments: str) -> None:
    """Run pytest with a process for each core, or with one where there are arguments after `--`."""
    workers = [] if session.posargs else ["-n", str(os.cpu_count() or 1), "--dist", "loadfile"]
    pytest(session, *workers, *arguments)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, likely bugs, import contracts, shell scripts and words."""
    session.run("ruff", "check", *SOURCES)
    session.run("ruff", "format", "--check", *SOURCES)
    session.run("lint-imports", "--no-cache")
    session.run("shellcheck", *SCRIPTS)
    session.run(sys.executable, ".ci/prose.py")


@nox.session
def types(session: nox.Session) -> None:
    """Run both type checkers."""
    session.run("mypy")
    session.run("pyright")


@nox.session
def unit(session: nox.Session) -> None:
    """Run the fast tests: no root, no engine, no network but unix sockets and localhost."""
    side_by_side(session, "tests/core", "tests/tui")


@nox.session
def protos(session: nox.Session) -> None:
    """Generate the Protocol Buffers messages and gRPC stubs that are committed beside their .proto files."""
    files = sorted(str(path) for path in Path("core/pyd_core").glob("*/proto/*.proto"))
    session.run(
        sys.executable, "-m", "grpc_tools.protoc", "-I", "core", "--python_out=core", "--mypy_out=core",
        "--grpclib_python_out=core", *files,
    )  # fmt: skip


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure the fast tests' branch coverage and fail below the floor in pyproject.toml."""
    session.run(
        sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "tests/core", "tests/tui", *session.posargs
    )
    session.run(sys.executable, "-m", "coverage", "report", "--skip-covered", "--sort=cover")


@nox.session
def engine(session: nox.Session) -> None:
    """Run the contract tests of the client on every engine at hand."""
    side_by_side(session, "tests/engine")


@nox.session
def privileged(session: nox.Session) -> None:
    """Run what needs namespaces, mounts and cgroups: root and a Docker Engine."""
    pytest(session, "tests/privileged")


@nox.session
def daemon(session: nox.Session) -> None:
    """Run pydd's tests, with an engine of its own for each test process; needs root."""
    side_by_side(session, "tests/daemon")


@nox.session
def e2e(session: nox.Session) -> None:
    """Run the installed `pyd` in a real terminal against real containers."""
    pytest(session, "tests/e2e")


@nox.session
def snapshots(session: nox.Session) -> None:
    """Compare the dashboard's screens with `snapshots/`; `-- --snapshot-update` records them."""
    side_by_side(session, "tests/snapshots")


@nox.session
def everyday(session: nox.Session) -> None:
    """Do the ten everyday tasks by keyboard and by mouse, and write their page."""
    session.env["PYD_EVERYDAY"] = "docs/development/everyday-tasks.md"
    pytest(session, LONG, "tests/everyday")


@nox.session
def matrix(session: nox.Session) -> None:
    """Try the debug shell on every kind of container, state, way and engine; write docs/development/debug-matrix.md."""
    session.env["PYD_MATRIX"] = "docs/development/debug-matrix.md"
    pytest(session, LONG, "tests/matrix")


@nox.session
def packs(session: nox.Session) -> None:
    """Make each toolbox pack, try its tools, and write docs/reference/toolbox-packs.md; not part of the default run."""
    session.env["PYD_PACKS"] = "docs/reference/toolbox-packs.md"
    pytest(session, LONG, "tests/packs")


@nox.session
def builds(session: nox.Session) -> None:
    """Build hundreds of files on pydd and on Docker Engine, and compare the images; not part of the default run."""
    pytest(session, LONG, "tests/builds")


@nox.session
def kube(session: nox.Session) -> None:
    """Run pyd and kubectl on a scripted Kubernetes cluster; not part of the default run."""
    session.run(sys.executable, "-m", "pip", "install", "-q", "--group", "kube")
    pytest(session, LONG, "tests/kube")


@nox.session
def nodes(session: nox.Session) -> None:
    """Run pyd on a real containerd of the tests' own, with pods made over its CRI; not part of the default run."""
    pytest(session, LONG, "tests/nodes")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed as ratios to a peer in one run; not part of the default run."""
    session.run(sys.executable, "benchmarks/run.py", *session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """Send pydd requests generated from the Engine API's specification; not part of the default run."""
    session.run(sys.executable, "-m", "pip", "install", "-q", "--group", "contract")
    pytest(session, LONG, "tests/contract")


@nox.session
def clients(session: nox.Session) -> None:
    """Run other projects' clients, fetched from their registries, on both engines; not part of the default run."""
    pytest(session, LONG, "-rA", "tests/clients")


@nox.session
def stress(session: nox.Session) -> None:
    """Run hundreds of containers, a hundred kills, every attack, and an hour each of archives and of output."""
    session.env |= {"PYD_KILLS": "100", "PYD_ATTACKS": "1"}
    session.env.setdefault("PYD_SOAK_MINUTES", os.environ.get("PYD_SOAK_MINUTES", "60"))
    pytest(session, LONG, "tests/stress", "tests/daemon/test_crash.py", "tests/privileged/attacks")


@nox.session
def vm(session: nox.Session) -> None:
    """Run suites in an emulated machine with pure cgroup v2 (`-- tests/privileged/triage`); slow."""
    session.run(sys.executable, "-m", "vm.run", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def fresh(session: nox.Session) -> None:
    """Run the first minutes on a bare Debian root file system, of this release or `-- --suite bookworm`."""
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
