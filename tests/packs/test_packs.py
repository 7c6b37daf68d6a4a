"""Each toolbox pack as its user gets it: made from the machine's package sources, and its tools on a real process.

`nox -s packs` runs all of it and writes `docs/reference/toolbox-packs.md`. The containers have this machine's `/usr`,
read-only: a distribution with interpreters, without fetching one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyd_core.debug.helper import TOOLBOX
from pyd_core.debug.helper.image import python_command
from pyd_core.debug.holder_program import program
from pyd_core.debug.toolbox import PREFIX, store
from pyd_core.debug.toolbox.manage import list_stored
from pyd_core.debug.toolbox.selection import Selection, load_selection
from pyd_core.linux.elf import read_elf
from pyd_debugimages.packs import BASE, PACKS
from support.debugging import command, ready_toolbox
from support.docker import LONE, Docker
from support.missing import missing

HOST = {f"{name}": f"-> usr/{name}" for name in ("bin", "sbin", "lib", "lib64")}
APP_PY = """
import time
def planted_function():
    while True:
        time.sleep(0.05)
planted_function()
"""
APP_C = """
#include <unistd.h>
__attribute__((noinline)) void planted_function(void) { usleep(50000); }
int main(void) { for (;;) planted_function(); }
"""
APP_JAVA = """
class App {
    static void plantedMethod() throws Exception { while (true) Thread.sleep(50); }
    public static void main(String[] words) throws Exception { plantedMethod(); }
}
"""
APP_GO = """
package main
import "time"
//go:noinline
func plantedFunction() { for { time.Sleep(50 * time.Millisecond) } }
func main() { plantedFunction() }
"""
MAX_BASE_BYTES = 150_000_000
"""Bytes that the base takes on disk at most, for any machine."""
REGISTRY = "version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: '127.0.0.1:5000'}\n"
INSPECTED = "@node --inspect=127.0.0.1:9229 -e 'setInterval(() => 0, 50)' & sleep 1; curl -s 127.0.0.1:9229/json/list"
THROUGHPUT = "iperf3 -s -1 -D; sleep 0.3; iperf3 -c 127.0.0.1 -t 1 | tail -3"
CALLED = "tracepoint:syscalls:sys_enter_clock_nanosleep /pid == 1/ { @called[pid] = count(); } interval:s:1 { exit(); }"
ENTERED = "uprobe:/app:planted_func* { @entered[probe] = count(); } interval:s:1 { exit(); }"
"""Counted, and ended each second: what a probe prints may lie unread where its processor sleeps."""

Check = tuple[str, str, str]
"""The container, and who is in it if not root (`native as tracer`); a line there (`-b`: a builtin); what it prints."""

CHECKS: dict[str, tuple[Check, ...]] = {
    "base": (("python", "@curl --version; @strace -V; @jq -n 40+2", "^42$"),),
    "net": (
        ("native", "@dig -v 2>&1", "^DiG"),
        ("native", "@nmap -sT -p 1 127.0.0.1", "1/tcp +closed"),
        ("native", THROUGHPUT, "receiver"),
        ("native", "@socat -V; @mtr --version; @tshark --version; @conntrack --version; @nft --version", "nftables"),
        ("native", "@ethtool lo", "Link detected: yes"),
    ),
    "trace": (
        ("native", "-b stack --json", "planted_function .*app.c:3"),
        ("native", "@gdb -batch -nx -ex bt -p 1", "planted_function"),
        ("native", "timeout -s INT 2 @ltrace -p 1 2>&1", r"usleep\("),
        ("native", "@perf stat -p 1 sleep 0.2 2>&1", "time elapsed"),
        ("native as tracer", f"timeout 120 @bpftrace -e '{CALLED}' 2>&1", r"^@called\[1\]: \d"),
        (
            "native as tracer",
            f"timeout 120 @bpftrace -e '{ENTERED}' 2>&1",
            r"^@entered\[uprobe:/app:planted_function\]: \d",
        ),
        (
            "native as tracer",
            "@perf record -q -a -e cpu-clock -o - sleep 0.5 | @perf report -i - --stdio",
            "Event count",
        ),
        ("native as tracer", "@perf trace -p 1 sleep 0.5 2>&1", "nanosleep"),
        ("native as tracer", "@bpftool btf dump file /sys/kernel/btf/vmlinux | grep -m1 task_struct", "task_struct"),
        ("native", "grep State: /proc/1/status", "sleeping"),  # it still runs
    ),
    "python": (
        ("python", "@py-spy dump --pid 1", r"planted_function \(app.py:5\)"),
        ("python", "-b stack --json", r"planted_function \(app.py:5\)"),
        ("python", "@python3 -m debugpy --version", r"^\d+\.\d+"),
    ),
    "jvm": (
        ("java", "-b stack --json", r"App.plantedMethod\(App.java:3\)"),
        ("java", "@jattach 1 threaddump", r"App.plantedMethod\(App.java:3\)"),
        ("java", "@jattach 1 jcmd VM.version", "Server VM"),
        ("java", "@jattach 1 inspectheap", r"java.lang.String "),
        ("java", "@jattach 1 jcmd 'GC.heap_info'", "Metaspace"),
    ),
    "node": (("native", INSPECTED, "webSocketDebuggerUrl"),),
    "go": (
        ("go", "-b stack --json", r"in main\.plantedFunction.{0,20}at [^ ]*/app\.go:5"),
        (
            "go",
            "@dlv attach 1 --allow-non-terminal-interactive=true <<< $'goroutine 1\nbt\nexit\nn'",
            "main.plantedFunction",
        ),
        ("go", "grep State: /proc/1/status", "sleeping"),  # it still runs
        ("stripped go", "-b stack --json", "dlv failed: .*debug info"),
    ),
    "db": (
        ("native", "@psql --version; @pg_dump --version; @pg_isready --version", "pg_isready"),
        ("native", "@mysql --version; @redis-cli --version", "redis-cli"),
        ("native", "@sqlite3 :memory: 'select 6*7'", "^42$"),
    ),
}


@dataclass(frozen=True)
class Made:
    """Outcome of making a pack."""

    seconds: float
    size: int
    """Bytes on disk, the base included."""


@pytest.fixture(scope="session")
def toolbox() -> Path:
    """The base toolbox."""
    return ready_toolbox()


@pytest.fixture(scope="session")
def containers(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A process of each kind, by the words that checks call them."""
    directory = tmp_path_factory.mktemp("app")
    (directory / "app.c").write_text(APP_C)
    subprocess.run(["gcc", "-g", "-O0", "-o", "app", "app.c"], cwd=directory, check=True)
    files: dict[str, bytes | Path | str] = {
        **HOST,
        "app": directory / "app",
        "app.py": APP_PY,
        "registry.yml": REGISTRY,
    }
    image = docker.image("packs", files, 'CMD ["/app"]', directories=("usr", "tmp", "etc"))
    options: tuple[str, ...] = ("-v", "/usr:/usr:ro", *LONE)
    words: dict[str, tuple[str, ...]] = {"native": ("/app",), "python": ("/usr/bin/python3", "/app.py")}
    compiled = directory / "compiled"
    compiled.mkdir()
    if shutil.which("javac") is not None:
        (directory / "App.java").write_text(APP_JAVA)
        subprocess.run(["javac", "--release", "11", "-d", compiled, directory / "App.java"], check=True)
        java = shutil.which("java") or "java"
        words["java"] = (os.path.realpath(java), "-cp", "/compiled", "App")
    if shutil.which("go") is not None:
        (directory / "app.go").write_text(APP_GO)
        environment = {**os.environ, "GOCACHE": str(directory / "cache"), "CGO_ENABLED": "0"}
        subprocess.run(["go", "build", "-o", compiled / "go", "app.go"], cwd=directory, check=True, env=environment)
        words["go"] = ("/compiled/go",)
    if shutil.which("docker-registry") is not None:
        words["stripped go"] = ("/usr/bin/docker-registry", "serve", "/registry.yml")
    options += ("-v", f"{compiled}:/compiled:ro", *(f"-v{path}:{path}:ro" for path in Path("/etc").glob("java-*")))
    return {kind: docker.run(kind.replace(" ", "-"), image, *line, options=options) for kind, line in words.items()}


NEEDED = {"java": "default-jdk-headless", "go": "golang-go", "stripped go": "docker-registry"}
"""Debian packages that processes of a kind take."""


@pytest.fixture(scope="session")
def table() -> Iterator[dict[str, Made]]:
    """Collect the outcome of each pack; written at the end if `PYD_PACKS` names a file."""
    outcomes: dict[str, Made] = {}
    yield outcomes
    if (path := os.environ.get("PYD_PACKS")) and len(outcomes) == len(PACKS):
        Path(path).write_text(_page(outcomes))


def _page(outcomes: dict[str, Made]) -> str:
    lines = [
        "# Toolbox packs",
        "",
        "`nox -s packs` writes this page. It builds each pack from the machine's package sources, starting with an",
        "empty store and no package lists, and tries its tools on a real process. Sizes include the base.",
        "",
        "| pack | for | size | build time |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {PACKS[name].summary} | {outcomes[name].size / 1e6:.0f} MB | {outcomes[name].seconds:.0f} s |"
        for name in PACKS
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("pack", list(PACKS))
def test_a_pack_is_made_and_its_tools_work(
    containers: dict[str, str], table: dict[str, Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: str
):
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path))
    began = time.monotonic()
    words = ("build",) if pack == "base" else ("install", pack)
    subprocess.run([sys.executable, "-m", "pyd_tui", "toolbox", *words], check=True, capture_output=True)
    seconds = time.monotonic() - began
    listed = subprocess.run(
        [sys.executable, "-m", "pyd_tui", "--json", "toolbox", "ls"], check=True, capture_output=True
    ).stdout
    (toolbox,) = json.loads(listed)["toolboxes"]
    for where, line, expected in CHECKS[pack]:
        kind, _, identity = where.partition(" as ")
        if kind not in containers:
            missing(NEEDED[kind])
        output = _output(containers[kind], line, identity or "root")
        assert re.search(expected, output, re.MULTILINE), (line, output)
    assert pack != "base" or toolbox["size"] < MAX_BASE_BYTES
    table[pack] = Made(seconds, toolbox["size"])


def test_a_toolbox_for_another_machine_is_made_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path))
    machine, architecture = ("x86_64", "amd64") if os.uname().machine == "aarch64" else ("aarch64", "arm64")
    words = ("--json", "toolbox", "build", "--machine", machine)
    done = subprocess.run([sys.executable, "-m", "pyd_tui", *words], check=True, capture_output=True)
    tree = Path(json.loads(done.stdout)["toolbox"])
    programs = [elf for path in (tree / "bin").iterdir() if (elf := read_elf(path)) is not None]
    assert {elf.machine for elf in programs} == {architecture}
    for interpreter in {elf.interpreter for elf in programs} - {""}:
        assert (tree / interpreter.removeprefix(f"{PREFIX}/")).exists(), interpreter
    (there,) = list_stored()
    assert (there.machine, there.size < MAX_BASE_BYTES) == (machine, True), there
    if (emulator := shutil.which(f"qemu-{machine}")) is not None:  # else nothing here can run it
        loader, *rest = python_command(str(tree))
        python = [text.replace(TOOLBOX, str(tree)) for text in (loader, *rest)]
        line = "import ctypes, json, os, socket; print(os.uname().machine)"
        assert subprocess.check_output([emulator, *python, "-c", line], text=True) == f"{machine}\n"
        (tmp_path / "holder").write_bytes(program(machine))
        (tmp_path / "holder").chmod(0o755)
        assert subprocess.run([emulator, tmp_path / "holder"], input=b"some", check=False).returncode == 0


def _output(name: str, line: str, identity: str = "root") -> str:
    words = ("-b", line.removeprefix("-b ")) if line.startswith("-b ") else ("-c", line)
    done = subprocess.run(
        command("--as", identity, name, *words), capture_output=True, text=True, check=False, timeout=240
    )
    return done.stdout + done.stderr if done.returncode or not done.stdout else done.stdout


def test_the_shells_builtins_find_a_package_add_it_and_take_it_out(
    containers: dict[str, str], toolbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    subprocess.run(["cp", "-a", toolbox, tmp_path / toolbox.name], check=True)
    (tmp_path / store.pointer(BASE)).symlink_to(toolbox.name)
    monkeypatch.setenv("PYD_TOOLBOX", str(tmp_path))
    name, tool = containers["native"], "@sqlite3 :memory: 'select 6*7'"
    assert "not found" in _output(name, tool)
    assert {"name": "sqlite3"}.items() <= _outcome(name, "search sqlite3 --json", "sqlite3").items()
    assert "did you mean" in _output(name, "-b install sqlite33")
    assert load_selection() == Selection()
    assert json.loads(_output(name, "-b install sqlite3 --json"))["toolbox"].startswith(str(tmp_path))
    assert _output(name, tool) == "42\n"
    assert "isn't installed" in _output(name, "-b uninstall socat")
    assert json.loads(_output(name, "-b uninstall sqlite3 --json"))["toolbox"] == str(tmp_path / toolbox.name)
    assert "not found" in _output(name, tool)


def _outcome(name: str, line: str, expected: str) -> dict[str, str]:
    entries: list[dict[str, str]] = json.loads(_output(name, f"-b {line}"))
    return next(entry for entry in entries if entry["name"] == expected)
