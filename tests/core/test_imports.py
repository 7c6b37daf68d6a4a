"""Modules loaded at run time: import contracts only see the import statements."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TERMINAL = {"textual", "rich", "prompt_toolkit", "click"}

EVERY_MODULE = """
import importlib, pkgutil, sys
for room in sys.argv[1:]:
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print(*sys.modules)
"""

ONE_COMMAND = """
import os, sys
from pyd_tui.cli import main
real_end = os._exit
def end(code):
    os.write(2, b"LOADED " + " ".join(sys.modules).encode() + b"\\n")
    real_end(code)
os._exit = end
sys.argv[0] = "pyd"
main()
"""


def loaded(code: str, *arguments: str) -> set[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DOCKER_HOST", "DOCKER_CONTEXT")}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    last = [line for line in (done.stderr + done.stdout).splitlines() if "pyd_core" in line]
    assert last, done.stderr
    return set(last[-1].split())


def test_no_module_of_the_core_or_of_the_packs_loads_anything_that_draws():
    assert not TERMINAL & loaded(EVERY_MODULE, "pyd_core", "pyd_debugimages")


@pytest.mark.parametrize("room", ["pyd_core.model", "pyd_core.linux"])
def test_the_lowest_rooms_load_none_above_them(room: str):
    above = {f"pyd_core.{name}" for name in ("engine", "files", "fleet", "logs", "debug", "triage", "daemon")}
    assert not above & loaded(EVERY_MODULE, room)


@pytest.mark.parametrize("line", [["--help"], ["version", "--client"], ["ps", "--help"], ["logs", "--help"]])
def test_help_and_version_load_nothing_heavy(line: list[str]):
    heavy = {"textual", "prompt_toolkit", "pyroute2", "tornado", "httpx", "asyncio", "pygments", "psutil"}
    assert not heavy & loaded(ONE_COMMAND, *line)


def test_ps_without_an_engine_fails_before_anything_heavy_is_loaded():
    heavy = {"textual", "prompt_toolkit", "pyroute2", "tornado", "httpx", "asyncio", "rich"}
    assert not heavy & loaded(ONE_COMMAND, "-H", "unix:///nonexistent/pyd.sock", "ps")


def test_an_option_of_one_letter_is_not_taken_for_a_long_one_first():
    assert "difflib" not in loaded(ONE_COMMAND, "debug", "web", "-H", "unix:///nonexistent/pyd.sock", "-c", "true")


def test_the_first_picture_loads_nothing_that_is_opened_later():
    later = {
        f"pyd_tui.dashboard.{name}"
        for name in (
            *("screens.detail", "screens.logs", "screens.menu", "actions.container_actions", "actions.transfers"),
            *("actions.catalogue", "actions.external_commands", "input.commands", "resources.base"),
        )
    }
    code = "import sys, pyd_tui.dashboard.app, pyd_core.client.connect; print(*sys.modules)"
    others = {"pyd_core.client.images", "pyd_core.client.networks", "email.utils", "httpx", "tarfile", "sqlite3"}
    assert not (later | others) & loaded(code)


DASHBOARD_ON_A_TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if pid:
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
import pyd_tui.dashboard.startup.start as start
def run(*arguments, **options):
    print(*sys.modules)
start.run = run
sys.argv = ["pyd"]
from pyd_tui.cli import main
main()
"""


def test_the_dashboard_without_options_opens_before_click_is_loaded():
    modules = loaded(DASHBOARD_ON_A_TERMINAL)
    assert "pyd_tui.cli.dashboard_entry" in modules
    assert "click" not in modules


def test_the_engines_are_asked_before_anything_that_draws_is_loaded():
    modules = "pyd_tui.dashboard.startup.bootstrap, pyd_core.client.connect, pyd_core.watch.container_watcher"
    code = f"import sys, {modules}; print(*sys.modules)"
    assert not {"textual", "httpx", "rich.console"} & loaded(code)
