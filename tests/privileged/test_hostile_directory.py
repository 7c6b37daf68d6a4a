"""`pyd` in a working directory that another user filled: none of its files run."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyd_core.linux.interpreter import drop_relative_search_paths
from pyd_tui.cli.command_table import COMMANDS
from support.docker import Docker
from support.pydd import Pydd

MODULES = (
    *("pyd_core/__init__", "pyd_tui/__init__", "pyd_debugimages/__init__", "encodings/__init__", "pip/__init__"),
    *("json", "os", "site", "sitecustomize", "usercustomize", "click", "httpx", "msgspec", "rich", "textual", "yaml"),
)
PROGRAMS = (
    *("aardvark-dns", "apparmor_parser", "apt-get", "bash", "busctl", "busybox", "conmon", "crun", "docker", "dpkg"),
    *("docker-compose", "docker-credential-planted", "dpkg-deb", "firewall-cmd", "fuse-overlayfs", "getsubids", "git"),
    *("groupadd", "iptables", "ldd", "less", "newgidmap", "newuidmap", "nft", "patchelf", "podman-compose", "prlimit"),
    *("python", "python3", "runc", "sh", "ssh", "systemctl", "vi"),
)

NOBODY = "nobody-by-this-name"
ARGUMENTS = {
    "attach": [NOBODY],
    "builder": ["build", "-t", NOBODY, "https://127.0.0.1:1/nothing.git"],
    "build": ["-t", NOBODY, "https://127.0.0.1:1/nothing.git"],
    "commit": [NOBODY],
    "completion": ["bash"],
    "compose": ["version"],
    "config": ["edit"],
    "container": ["ls"],
    "context": ["ls"],
    "cp": [f"{NOBODY}:/etc", "-"],
    "create": ["--pull", "never", NOBODY],
    "daemon": ["--runtime", "/nowhere/runtime", "--root", "{own}/root", "--run", "{own}/run"],
    "debug": ["{target}", "--toolbox", "none", "-c", "true"],
    "demo": ["down"],
    "diff": ["{target}"],
    "events": ["--since", "1", "--until", "2"],
    "exec": [NOBODY, "true"],
    "export": [NOBODY],
    "history": ["--file", "{own}/history.db"],
    "image": ["ls"],
    "import": ["nothing.tar"],
    "inspect": ["{target}"],
    "kill": [NOBODY],
    "load": ["-i", "nothing.tar"],
    "login": ["-u", "someone", "-p", "word", "127.0.0.1:1"],
    "logout": ["127.0.0.1:1"],
    "logs": ["{target}"],
    "network": ["ls"],
    "node": ["ls"],
    "pause": [NOBODY],
    "port": ["{target}"],
    "pull": ["127.0.0.1:1/nothing"],
    "push": ["127.0.0.1:1/nothing"],
    "record": ["--print-unit"],
    "rename": [NOBODY, "other"],
    "restart": [NOBODY],
    "rm": [NOBODY],
    "rmi": [NOBODY],
    "run": ["--pull", "never", NOBODY],
    "save": [NOBODY],
    "search": ["127.0.0.1:1/nothing"],
    "secret": ["ls"],
    "service": ["ls"],
    "stack": ["ls"],
    "start": [NOBODY],
    "stats": ["--no-stream", "{target}"],
    "stop": [NOBODY],
    "swarm": ["ca"],
    "system": ["df"],
    "tag": [NOBODY, "other"],
    "toolbox": ["ls"],
    "top": ["{target}"],
    "triage": ["{target}"],
    "unpause": [NOBODY],
    "update": ["--memory", "64m", NOBODY],
    "volume": ["ls"],
    "wait": [NOBODY],
}
"""Arguments with which a verb reaches what it does on an engine; none for the others."""


@dataclass
class Trap:
    """A directory that leaves a mark for each thing of it that runs.

    Attributes:
        path: The directory.
        marks: Where they are left.
    """

    path: Path
    marks: Path

    @property
    def environ(self) -> dict[str, str]:
        """Variables that lead into it, as a shell with a careless profile has them."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "PYTHON", "XDG_"))}
        return kept | {
            "PATH": f"::.:bin:{kept['PATH']}",
            "PYTHONPATH": f"{self.path}:.",
            "PYTHONSTARTUP": f"{self.path}/json.py",
            "PYTHONUSERBASE": str(self.path),
            "EDITOR": "true",
            "HOME": str(self.marks.parent / "home"),
            "XDG_CONFIG_HOME": str(self.marks.parent / "config"),
            "XDG_STATE_HOME": str(self.marks.parent / "state"),
        }

    @property
    def sprung(self) -> list[str]:
        """The names of the files that ran."""
        return sorted(path.name for path in self.marks.iterdir())

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def pyd(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `pyd` in it as its launcher does."""
        return self.run(sys.executable, "-I", "-m", "pyd_tui", *arguments, **variables)


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    trap = Trap(tmp_path / "checkout", tmp_path / "marks")
    trap.marks.mkdir()
    (tmp_path / "home/.docker").mkdir(parents=True)
    (tmp_path / "home/.docker/config.json").write_text('{"credsStore": "planted"}')
    for name in MODULES:
        path = trap.path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = str(trap.marks / name.replace("/", "."))
        path.write_text(f"import posix\nposix.close(posix.open({mark!r}, {os.O_CREAT | os.O_WRONLY}))\n")
    for directory in (trap.path, trap.path / "bin"):
        directory.mkdir(exist_ok=True)
        for name in PROGRAMS:
            path = directory / name
            path.write_text(f"#!/bin/sh\n: >{trap.marks}/{name}\nexit 1\n")
            path.chmod(0o755)
    return trap


@pytest.fixture(scope="module")
def target(docker: Docker, distroless: str) -> str:
    return docker.run("target", distroless)


def test_each_verb_has_arguments_of_its_own_or_needs_none():
    assert not set(ARGUMENTS) - set(COMMANDS)


@pytest.mark.parametrize("verb", COMMANDS)
def test_no_verb_runs_what_lies_in_the_working_directory(
    verb: str, trap: Trap, docker: Docker, target: str, tmp_path: Path
):
    """A root-owned `pyd compose` ran `./docker` of the directory it was called in, where PATH has an empty entry."""
    arguments = [argument.format(own=tmp_path, target=target) for argument in ARGUMENTS.get(verb, [])]
    done = trap.pyd(verb, *arguments, DOCKER_HOST=docker.host)
    assert trap.sprung == [], done
    assert "Traceback" not in done.stderr
    assert "Usage:" not in done.stderr, "the verb didn't get as far as its work"


def test_completion_runs_nothing_of_it(trap: Trap, docker: Docker):
    done = trap.pyd(DOCKER_HOST=docker.host, _PYD_COMPLETE="bash_complete", COMP_WORDS="pyd inspect ", COMP_CWORD="2")
    assert (trap.sprung, done.returncode) == ([], 0)


START = """
import sys
from pathlib import Path
from pyd_core.daemon import launch
from pyd_core.daemon.config import DaemonConfig
launch.ensure(DaemonConfig(root=Path(sys.argv[1], "root"), run=Path(sys.argv[1], "run")), idle=0.4)
"""


def test_the_engine_that_starts_on_demand_runs_nothing_of_it(trap: Trap, tmp_path: Path):
    """`pyd ps` of root, without an engine, ran `pyd_core` of the directory it was called in as the engine."""
    with Pydd.started() as other:  # skips where an engine can't run
        assert other.process is not None
    home = tmp_path / "engine"
    home.mkdir()
    done = trap.run(sys.executable, "-I", "-c", START, str(home), PYD_HISTORY=str(tmp_path / "history.db"))
    engine = Pydd(home)
    pid = engine_pid(engine)
    if pid:
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    wait_for_end(pid)
    assert (trap.sprung, done.returncode) == ([], 0), done.stderr
    assert engine.leftovers() == {}


def engine_pid(engine: Pydd) -> int:
    """The engine that has this root on its command line; 0 when it is gone already."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"pyd_core.embedded" in words and str(engine.config.root).encode() in words:
                return int(entry.name)
    return 0


def wait_for_end(pid: int) -> None:
    if pid:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        select.select([fd], [], [], 60)
        os.close(fd)


@pytest.mark.parametrize(
    "starter",
    [
        "from pyd_tui.dashboard.actions.suspend import command; argv = command(None, 'version', '--client')",
        "from pyd_core.linux.interpreter import module_command; argv = module_command('pip', '--version')",
        "from pyd_core.linux.interpreter import module_command as m; argv = m('pyd_core.debug.toolbox.refresh', '/')",
    ],
)
def test_no_interpreter_that_pyd_starts_looks_into_it(starter: str, trap: Trap):
    """`D` in the dashboard, refreshing a toolbox and fetching wheels ran `pyd_tui` or `pip` of the directory."""
    code = f"import subprocess; {starter}; raise SystemExit(subprocess.run(argv).returncode)"
    done = trap.run(sys.executable, "-I", "-c", code)
    assert trap.sprung == [], done.stderr


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        (":/usr/bin:.:bin::/bin:", "/usr/bin:/bin"),
        ("", os.defpath),
        (".", os.defpath),
    ],
)
def test_relative_entries_of_the_path_are_dropped(before: str, after: str):
    environ = {"PATH": before}
    drop_relative_search_paths(environ)
    assert environ == {"PATH": after}
