"""The command line: commands, help, errors and loaded modules."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pyd_tui.cli.command_table import COMMANDS
from pyd_tui.cli.entry import root
from pyd_tui.console.command import PydCommand, PydGroup
from support.fake_engine import FakeEngine, answer_json

RUN = "import sys; sys.argv[0] = 'pyd'; from pyd_tui.cli import main; main()"
LOADED = """
import os, sys
def report(code):
    sys.stdout.flush()
    print(*sorted(sys.modules), file=sys.stderr)
    sys.stderr.flush()
    real(code)
real, os._exit = os._exit, report
"""

SUMMARY = {
    "Id": "c" * 64,
    "Names": ["/web"],
    "Image": "nginx",
    "State": "exited",
    "Status": "Exited (137) 2 minutes ago",
    "Created": 1_700_000_000,
}


def _pyd(*arguments: str, before: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    return subprocess.run(
        [sys.executable, "-c", before + RUN, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    with FakeEngine(tmp_path / "e.sock", {"/containers/json": answer_json([SUMMARY])}) as engine:
        yield engine


def _commands() -> list[tuple[str, click.Command]]:
    commands = []
    for name, entry in COMMANDS.items():
        if importlib.util.find_spec(entry.module) is None:
            continue  # a command of another part of the project
        command = importlib.import_module(entry.module).command
        commands.append((name, command))
        if isinstance(command, click.Group):
            with click.Context(command) as context:
                below = [(sub, command.get_command(context, sub)) for sub in command.list_commands(context)]
            commands += [(f"{name} {sub}", verb) for sub, verb in below if verb is not None and verb.name == sub]
    return commands


@pytest.mark.parametrize(("name", "command"), _commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_has_help_with_examples(name: str, command: click.Command):
    assert isinstance(command, (PydCommand, PydGroup))
    assert command.name == name.rsplit(maxsplit=1)[-1]
    with click.Context(command, info_name=f"pyd {name}") as context:
        text = command.get_help(context)
    assert command.help
    assert "Examples:" in text
    own = {f"pyd {word}" for word in (name.split(maxsplit=1)[0], name.rsplit(maxsplit=1)[-1])}
    assert any(line in text.split("Examples:")[1] for line in own) or name.rsplit(maxsplit=1)[-1] in {"ls", "rm"}
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.name} has no help"


def test_help_lists_every_command_under_a_heading_and_loads_none(tmp_path: Path):
    done = _pyd("--help", before=LOADED)
    assert done.returncode == 0
    for name, entry in COMMANDS.items():
        assert (f"  {name} " in done.stdout) is bool(entry.section)
    assert not {entry.module for entry in COMMANDS.values()} & set(done.stderr.split())


def test_pyd_without_a_command_or_terminal_prints_help():
    done = _pyd()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: pyd")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pss"], "did you mean ps?"),
        (["ps", "--nope"], "no such option"),
        (["stop"], "missing argument"),
        (["inspect", "--type", "pod", "x"], "pod"),
        (["-H", "nonsense", "ps"], "not an engine address"),
        (["ps", "--filter", "nonsense"], "not a filter"),
        (["logs", "-n", "-3", "x"], "not a number of lines"),
        (["logs", "--since", "yesterday", "x"], "not a time"),
        (["logs"], "name containers"),
        (["logs", "--all", "x"], "names and --all can't be combined"),
        (["logs", "--grep", "(", "x"], "not a regular expression"),
    ],
)
def test_a_usage_error_prints_two_lines_and_exits_with_2(arguments: list[str], message: str, engine: FakeEngine):
    done = _pyd(*arguments, DOCKER_HOST=engine.url)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("pyd: ")
    assert message in lines[0].lower()
    assert lines[1].startswith("hint: ")


def test_ps_imports_nothing_heavy_when_piped(engine: FakeEngine):
    done = _pyd("ps", "-a", before=LOADED, DOCKER_HOST=engine.url)
    assert done.returncode == 0
    heavy = {
        "textual",
        "prompt_toolkit",
        "pyroute2",
        "tornado",
        "asyncio",
        "httpx",
        "rich",
        "ssl",
        "hashlib",
        "pygments",
    }
    assert heavy & set(done.stderr.split()) == set()


def test_a_fast_path_debug_session_starts_without_click(engine: FakeEngine):
    done = _pyd("debug", "gone", "-c", "true", before=LOADED, DOCKER_HOST=engine.url)
    loaded = set(done.stderr.split())
    assert done.returncode == 125  # the engine has no such container
    assert {"pyd_core.debug.sessions.session", "msgspec"} <= loaded
    assert not {"click", "inspect", "typing_extensions", "asyncio", "httpx", "rich", "textual"} & loaded


def test_ps_in_plain_text_has_every_column_and_no_escape(engine: FakeEngine):
    done = _pyd("ps", "-a", DOCKER_HOST=engine.url)
    assert done.stdout.splitlines()[0].split() == ["NAME", "IMAGE", "STATE", "EXIT", "WHY", "AGE", "PORTS", "PROJECT"]
    assert done.stdout.splitlines()[1].split()[:5] == ["web", "nginx", "exited", "137", "SIGKILL"]
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("arguments", [["--json", "ps"], ["ps", "--json"]])
def test_json_may_be_given_before_or_after_the_command(arguments: list[str], engine: FakeEngine):
    done = _pyd(*arguments, DOCKER_HOST=engine.url)
    (row,) = json.loads(done.stdout)
    assert (row["name"], row["exit_code"], row["health"]) == ("web", 137, None)


def test_the_host_may_be_given_before_or_after_the_command_and_overrides_the_environment(engine: FakeEngine):
    for arguments in (["-H", engine.url, "ps", "-q"], ["ps", "-q", "--host", engine.url]):
        done = _pyd(*arguments, DOCKER_HOST="unix:///nonexistent")
        assert done.stdout == "cccccccccccc\n"


@pytest.mark.parametrize(
    ("host", "message", "hint"),
    [
        ("unix:///nonexistent/docker.sock", "no such socket", "--host"),
        ("tcp://127.0.0.1:1", "no engine answers at tcp://127.0.0.1:1", ""),
    ],
)
def test_a_missing_engine_is_reported_with_a_hint_and_exit_code_125(host: str, message: str, hint: str):
    for verb in (["ps"], ["stop", "a", "b"], ["logs", "-f", "a"], ["exec", "a", "true"], ["stats"], ["version"]):
        done = _pyd(*verb, DOCKER_HOST=host)
        assert done.returncode == 125, (verb, done)
        lines = done.stderr.splitlines()
        assert len(lines) == 2
        assert message in lines[0]
        assert lines[0].endswith("[engine-unavailable]")
        assert hint in lines[1]


def test_an_engine_too_old_exits_with_125(tmp_path: Path):
    old = {"/_ping": b"HTTP/1.1 200 OK\r\nApi-Version: 1.24\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"}
    with FakeEngine(tmp_path / "old.sock", old) as engine:
        done = _pyd("ps", DOCKER_HOST=engine.url)
    assert done.returncode == 125
    assert "[api-too-old]" in done.stderr
    assert "1.24" in done.stderr


def test_an_unknown_name_suggests_similar_ones(engine: FakeEngine):
    done = _pyd("stop", "wbe", DOCKER_HOST=engine.url)
    assert done.returncode == 1
    assert done.stderr == "pyd: no such container: wbe [no-such-container]\nhint: did you mean web?\n"


def test_an_ambiguous_id_lists_its_candidates(tmp_path: Path):
    several = [{**SUMMARY, "Id": "cc" + letter * 62, "Names": [f"/n{letter}"]} for letter in "ab"]
    with FakeEngine(tmp_path / "e.sock", {"/containers/json": answer_json(several)}) as engine:
        done = _pyd("kill", "cc", DOCKER_HOST=engine.url)
    assert done.returncode == 1
    assert "na" in done.stderr
    assert "nb" in done.stderr
    assert not any(b"/kill" in request for request in engine.requests)


def test_a_full_disk_is_reported(engine: FakeEngine):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", RUN, "ps", "-a"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "DOCKER_HOST": engine.url},
        )
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_error(engine: FakeEngine):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", RUN, "ps", "-a"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "DOCKER_HOST": engine.url},
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_error(closed: str, engine: FakeEngine):
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" ps -a {closed}', sys.executable, RUN],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DOCKER_HOST": engine.url},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ("web" in done.stdout) is (" >&-" not in f" {closed}")


@pytest.mark.parametrize(
    "words", ["debug --help", "debug", "debug --no-such-option", "debug ls", "debug missing -c true"]
)
@pytest.mark.parametrize("closed", ["", "<&-", "2>&-"])
def test_a_command_line_without_a_session_leaves_no_process(
    words: str, closed: str, engine: FakeEngine, tmp_path: Path
):
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {words} {closed}', sys.executable, RUN],
        stdout=subprocess.PIPE,  # ends when no process has it open
        check=False,
        timeout=60,
        env={**os.environ, "DOCKER_HOST": engine.url, "XDG_RUNTIME_DIR": str(tmp_path), "PYD_TOOLBOX": str(tmp_path)},
    )
    assert done.returncode == {"debug --help": 0, "debug ls": 0, "debug missing -c true": 125}.get(words, 2)


def _complete(shell: str, words: str, host: str) -> list[str]:
    line = f"pyd {words}"
    count = len(line.split()) - (0 if line.endswith(" ") else 1)
    variables = {"_PYD_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(count)}
    done = _pyd(DOCKER_HOST=host, **variables)
    assert done.stderr == ""
    return [text.partition(",")[2] for text in done.stdout.splitlines() if text]


def test_commands_options_and_names_are_completed(engine: FakeEngine):
    assert _complete("bash", "st", engine.url) == ["stats", "start", "stop", "stack"]
    assert _complete("bash", "ps --no", engine.url) == ["--no-trunc"]
    assert _complete("bash", "start ", engine.url) == ["web"]
    assert _complete("bash", "inspect w", engine.url) == ["web"]
    assert _complete("bash", "inspect cc", engine.url) == ["cccccccccccc"]


def test_containers_in_other_states_are_not_completed(engine: FakeEngine):
    assert _complete("bash", "stop ", engine.url) == []
    assert _complete("bash", "start web ", engine.url) == []


def test_completion_is_silent_if_the_engine_is_missing_or_hangs(tmp_path: Path):
    assert _complete("bash", "start ", "unix:///nonexistent") == []
    with FakeEngine(tmp_path / "e.sock", {"/_ping": lambda *_: silent.wait_for_end()}) as silent:
        assert _complete("bash", "start ", silent.url) == []


def test_hostile_names_are_not_completed(tmp_path: Path):
    hostile = [{**SUMMARY, "Names": [name]} for name in ("/$(reboot)", "/a b", "/a\nb", "/`x`", "/good")]
    with FakeEngine(tmp_path / "e.sock", {"/containers/json": answer_json(hostile)}) as engine:
        assert _complete("bash", "start ", engine.url) == ["good"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_calls_pyd(shell: str):
    done = _pyd("completion", shell)
    assert done.returncode == 0
    assert f"_PYD_COMPLETE={shell}_complete" in done.stdout


def test_the_root_lists_the_command_table():
    with click.Context(root) as context:
        assert root.list_commands(context) == list(COMMANDS)


def test_events_resume_from_the_last_one_after_a_lost_connection(tmp_path: Path):
    def event(number: int) -> bytes:
        return json.dumps({"Type": "container", "Action": f"a{number}", "timeNano": number * 10**9}).encode() + b"\n"

    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"
    requests: list[str] = []

    def events(connection: socket.socket, target: str) -> None:
        requests.append(target)
        connection.sendall(head + event(len(requests)))
        if len(requests) > 2:
            fake.wait_for_end()

    with FakeEngine(tmp_path / "e.sock", {"/events": events}) as fake:
        following = subprocess.Popen(
            [sys.executable, "-c", RUN, "events", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "DOCKER_HOST": fake.url},
        )
        assert following.stdout is not None
        actions = [json.loads(following.stdout.readline())["Action"] for _ in range(3)]
        following.send_signal(signal.SIGINT)
        _, errors = following.communicate()
    assert actions == ["a1", "a2", "a3"]
    assert "since" not in requests[0]
    assert "since=1.000000001" in requests[1]
    assert "since=2.000000001" in requests[2]
    assert following.returncode == 130
    assert errors.count("stopped answering") == errors.count("answers again") == 2
