"""Builtins about programs: what a container starts with, traces, stacks and the report; running or not."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from support.debugging import Builtins, Run, command, sessions_left
from support.docker import LONE, Docker, busybox_files
from support.staging import loader_files, make_programs

FOREIGN = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(60)
"""The head of a program for arm64."""


PLANTED = """
#include <unistd.h>
__attribute__((noinline)) void planted_function(void) { for (;;) usleep(50000); }
int main(void) { planted_function(); }
"""


@pytest.fixture(scope="module")
def bad(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with a program for each thing that can be wrong with one."""
    programs = make_programs(tmp_path_factory.mktemp("programs"))
    files: dict[str, bytes | Path | str] = {
        **busybox_files(),
        **loader_files(programs["dynamic"]),
        "crlf": b"#!/bin/sh\r\necho hello\r\n",
        "nowhere": b"#!/opt/python3\nprint()\n",
        "noexec": b"#!/bin/sh\n",
        "bare": b"echo no first line\n",
        "foreign": FOREIGN,
        "closed/app": programs["sleeper"],
        "etc/passwd": b"root:x:0:0::/:/bin/sh\nme:x:1000:1000::/:/bin/sh\n",
    }
    modes = {"noexec": 0o644, "closed": 0o700}
    return docker.image("bad", files, 'CMD ["/bin/sh"]', directories=("tmp", "closed"), modes=modes)


CASES = (
    (("/missing",), (), "missing-program"),
    (("/crlf",), (), "crlf-script"),
    (("/nowhere",), (), "interpreter-missing"),
    (("/noexec",), (), "not-executable"),
    (("/bare",), (), "no-interpreter-line"),
    (("/foreign",), (), "wrong-architecture"),
    (("/dynamic",), (), "library-missing"),
    (("/closed/app",), ("--user", "me"), "user-lacks-rights"),
    (("/bin/true",), ("--user", "nobody-here"), "unknown-user"),
    (("sh", "-c", "sleep 5; true"), (), "shell-form"),
    (("sh", "-c", "['/bin/true']"), (), "no-json"),
    (("/bin/sh", "-c", "app --serve"), (), "missing-program"),
    (("/bin/sh", "-c", "LEVEL=high exec /noexec --port $PORT"), (), "not-executable"),
)


@pytest.mark.parametrize("case", CASES, ids=[f"{words[-1]}: {expected}" for words, _, expected in CASES])
def test_lint_finds_what_is_wrong_before_it_is_started(
    debug: Run, docker: Docker, bad: str, case: tuple[tuple[str, ...], tuple[str, ...], str]
):
    words, options, expected = case
    name = docker.create("bad", bad, *words, options=("--network", "none", *options))
    done = debug(name, "-b", "entrypoint --lint --json")
    findings = {row["id"]: row["level"] for row in json.loads(done.stdout)}
    assert expected in findings
    assert done.returncode == (1 if "error" in findings.values() else 0)


def test_what_is_told_of_one_mistake_doesnt_lead_to_another(debug: Run, docker: Docker, bad: str, tmp_path: Path):
    def linted(image: str, *words: str) -> str:
        name = docker.create("misled", image, *words, options=("--network", "none"))
        done = debug(name, "-b", "entrypoint --lint")
        return done.stdout + done.stderr

    assert 'blanks don\'t part words in the JSON form: ["/bin/sleep", "5"]' in linted(bad, "/bin/sleep 5")
    (tmp_path / "app.c").write_text("int main(void) { return 0; }")
    subprocess.run(["gcc", "-o", "app", "app.c"], cwd=tmp_path, check=True)
    program = bytearray((tmp_path / "app").read_bytes())
    program[18:20] = FOREIGN[18:20]
    findings = linted(docker.image("foreign", {"app": bytes(program)}, 'CMD ["/app"]'))
    assert "wrong-architecture" in findings
    assert "loader-missing" not in findings  # of course its loader isn't there
    assert "there is no shell in it" in linted(docker.image("bare", {"app": b""}, "CMD app --serve"))


def test_what_a_shell_is_to_start_is_looked_at_as_far_as_it_can_be_told(debug: Run, docker: Docker, bad: str):
    def linted(line: str) -> dict[str, str]:
        name = docker.create("shell-line", bad, "/bin/sh", "-c", line, options=("--network", "none"))
        done = debug(name, "-b", "entrypoint --lint --json")
        assert done.stderr == ""
        levels = {row["id"]: row["level"] for row in json.loads(done.stdout)}
        assert done.returncode == ("error" in levels.values())
        return {name: level for name, level in levels.items() if name != "shell-form"}

    assert linted("app --serve") == {"missing-program": "error"}
    assert linted("app --serve || sleep 5") == {"missing-program": "warning"}
    assert linted("/dynamic $PORT > /tmp/log") == {"library-missing": "error"}
    assert linted("exec /crlf") == {"crlf-script": "error"}
    for right in ("sleep 5", "/bare", "cd /tmp && ./app", "$APP --serve", "PATH=/opt app", "wget --help"):
        assert linted(right) == {}, right


def test_a_good_one_passes_and_what_doesnt_run_is_seen_as_it_would_start(debug: Run, docker: Docker, bad: str):
    stopped = Builtins(debug, docker.create("good", bad, "/bin/busybox", "true", options=(*LONE, "-e", "KEY=hidden")))
    assert stopped.json("entrypoint --lint") == []
    start = stopped.json("entrypoint")
    assert (start["program"], start["kind"], start["argv"]) == ("/bin/busybox", "elf", ["/bin/busybox", "true"])
    assert "crlf" in {row["name"] for row in stopped.json("files /")}
    assert {row["name"] for row in stopped.json("env")} >= {"KEY"}
    assert "[not-running]" in stopped("ps").stderr
    assert "[not-running]" in stopped("fds").stderr
    assert "chown" in stopped.json("caps")["effective"]
    assert stopped.json("layers")[0]["made_by"] == "the container itself"
    numbered = docker.create("numbered", bad, "/bin/true", options=("--network", "none", "--stop-signal", "3"))
    assert Builtins(debug, numbered).json("entrypoint")["stop_signal"] == "SIGQUIT"
    image = Builtins(debug, f"image:{bad}")
    assert image.json("entrypoint")["argv"] == ["/bin/sh"]
    assert "isn't a container" in image("why").stderr
    assert sessions_left() == []


@pytest.fixture(scope="module")
def worker(debug: Run, docker: Docker, bad: str) -> Builtins:
    """A container whose main process opens, executes and connects, again and again, and heeds no SIGTERM."""
    script = "while :; do cat /tmp/wanted 2>/dev/null; nc -w 1 127.0.0.1 9 </dev/null; sleep 0.2; done"
    return Builtins(debug, docker.run("worker", bad, "sh", "-c", script, options=("--network", "none")))


def test_trace_shows_what_is_executed_opened_connected_and_signalled(worker: Builtins, docker: Docker):
    def traced(kind: str, count: int) -> list[dict[str, str]]:
        done = worker(f"trace {kind} -n {count} --json --seconds 15")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert "cat /tmp/wanted" in {row["subject"] for row in traced("exec", 6)}
    opened = {row["subject"]: row["error"] for row in traced("open", 12)}
    assert opened["/tmp/wanted"] == "ENOENT"
    assert any(row["subject"] == "127.0.0.1:9" and row["error"] == "ECONNREFUSED" for row in traced("connect", 1))
    assert any(row["arguments"] == "SIGCHLD" for row in traced("signal", 4))
    assert worker("trace open 4242").returncode == 1


def test_a_pid_1_that_heeds_no_stop_signal_is_told_while_it_runs(worker: Builtins):
    findings = {row["id"] for row in worker.json("entrypoint --lint")}
    assert {"no-signal-handling", "shell-form"} <= findings


def test_run_and_trace_start_it_again_beside_the_target(debug: Run, docker: Docker, bad: str):
    script = "echo from $0 $(id -u); cat /nothing; exit 7"
    options = (*LONE, "--user", "1000")
    once = Builtins(debug, docker.create("once", bad, "sh", "-c", script, "here", options=options))
    done = once("entrypoint --run")
    assert done.stdout.splitlines()[0] == "from here 1000"
    assert "/nothing" in done.stdout
    assert done.returncode == 7
    traced = once("entrypoint --trace")
    assert "/nothing ENOENT" in traced.stdout
    assert "output: from here 1000" in traced.stdout
    assert traced.returncode == 7
    assert "/dev/.pyd" not in traced.stdout


@pytest.mark.parametrize("symbols", [True, False], ids=["with symbols", "stripped"])
def test_stack_tells_where_a_process_sleeps_and_what_would_tell_more(
    debug: Run, docker: Docker, tmp_path: Path, symbols: bool
):
    (tmp_path / "app.c").write_text(PLANTED)
    subprocess.run(
        ["gcc", "-static", "-O1", *([] if symbols else ["-s"]), "-o", "app", "app.c"], cwd=tmp_path, check=True
    )
    image = docker.image(f"stack-{int(symbols)}", {"app": tmp_path / "app"}, 'CMD ["/app"]')
    app = Builtins(debug, docker.run(f"stack-{int(symbols)}", image, options=LONE))
    stack = app.json("stack")
    assert (stack["pid"], stack["language"]) == (1, "native")
    if symbols:
        assert stack["tool"] in {"eu-stack", "gdb"}
        assert "planted_function" in stack["text"]
    elif stack["tool"] == "kernel":
        assert stack["threads"][0]["name"] == "app"
        assert stack["threads"][0]["state"] == "sleeping"
        assert "install trace" in stack["advice"]
    assert app("stack").stdout


def test_the_report_is_one_archive_without_secrets(debug: Run, docker: Docker, bad: str, tmp_path: Path):
    options = (*LONE, "-e", "TOKEN=sesame")
    name = docker.run("reported", bad, "sh", "-c", "echo planted-line; exec sleep 1000", options=options)
    file = tmp_path / "report.tar.gz"
    done = debug(name, "-b", f"report {file}")
    assert done.returncode == 0
    with tarfile.open(file) as tar:
        parts = {Path(entry.name).name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}  # type: ignore[union-attr]
    expected = {"inspect.json", "why.txt", "logs.txt", "ps.json", "sockets.json", "stacks.txt", "cgroup.json"}
    assert expected <= set(parts)
    assert "kernel.txt" in parts or b"kernel" in parts["missing.txt"]
    assert b"planted-line" in parts["logs.txt"]
    assert json.loads(parts["ps.json"])[0]["name"] == "sleep"
    assert b"sesame" not in b"".join(parts.values())
    assert file.stat().st_mode & 0o077 == 0
    assert "[file-exists]" in debug(name, "-b", f"report {file}").stderr


def test_an_interrupted_builtin_leaves_nothing(worker: Builtins):
    import signal

    process = subprocess.Popen(command(worker.name, "-b", "trace exec"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert sessions_left() == []
    assert {row["state"] for row in worker.json("ps")} & {"traced"} == set()
