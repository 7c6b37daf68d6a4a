"""The verbs that only look: `ps`, `inspect`, `top`, `events`, `stats`, `version`, `info`, `context`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.docker import Docker
from support.pyd import Run
from support.terminal import Opener


@pytest.fixture(scope="module")
def ended(docker: Docker, busybox: str) -> str:
    name = docker.run("ended", busybox, "sh", "-c", "exit 42", options=("--network", "none"))
    docker("wait", name)
    return name


@pytest.fixture(scope="module")
def alive(docker: Docker, distroless: str) -> str:
    options = ("--label", "com.docker.compose.project=shop", "--network", "none", "--memory", "64m")
    return docker.run("alive", distroless, options=options)


def test_ps_lists_the_living_and_with_a_the_dead_with_their_exit_codes(run: Run, alive: str, ended: str):
    shown = run("ps").stdout
    assert re.search(rf"^{alive} .* running .* shop$", shown, re.MULTILINE)
    assert ended not in shown
    assert re.search(rf"^{ended} .* exited +42 ", run("ps", "-a").stdout, re.MULTILINE)


def test_ps_filters_and_limits_as_docker_does(run: Run, docker: Docker, alive: str, ended: str):
    mine = f"label=pyd.test={docker.prefix}"
    for arguments in (
        ("-aq",),
        ("-q",),
        ("-aq", "-f", "status=exited"),
        ("-aq", "--no-trunc"),
        ("-aq", "-f", "exited=42"),
    ):
        theirs = docker("ps", *arguments, "-f", mine).splitlines()
        assert run("ps", *arguments, "-f", mine).stdout.splitlines() == theirs
    for limit in (("-l",), ("-n", "2")):
        assert run("ps", "-q", *limit, "-f", mine).stdout.split() == docker("ps", "-q", *limit, "-f", mine).split()


def test_ps_json_is_one_document_with_what_the_table_tells(run: Run, docker: Docker, alive: str, ended: str):
    rows = {row["name"]: row for row in json.loads(run("ps", "-a", "-s", "--json").stdout)}
    assert rows[alive]["state"] == "running"
    assert rows[alive]["project"] == "shop"
    assert rows[alive]["exit_code"] is None
    assert rows[alive]["id"] == docker.inspect(alive)["Id"]
    assert rows[ended]["exit_code"] == 42
    assert isinstance(rows[ended]["size"], int)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", rows[ended]["created"])


def test_nothing_piped_holds_an_escape(run: Run, alive: str, ended: str):
    for arguments in (["ps", "-a"], ["inspect", alive], ["top", alive], ["stats", "--no-stream", alive], ["info"]):
        done = run(*arguments, FORCE_COLOR="1")
        assert done.returncode == 0
        assert "\x1b" not in done.stdout + done.stderr


def test_a_terminal_has_colour_and_no_color_takes_it_away(run: Run, terminal: Opener, alive: str, ended: str):
    command: list[str | Path] = [run.pyd, "ps", "-a", "-f", f"name={ended}"]
    coloured = terminal(command, env=run.host)
    assert coloured.wait_exit() == 0
    assert "\x1b[31m" in coloured.ansi
    plain = terminal(command, env={**run.host, "NO_COLOR": "1"})
    assert plain.wait_exit() == 0
    assert ended in plain.screen
    assert "\x1b[31m" not in plain.ansi


def test_a_narrow_terminal_still_has_a_line_for_each_container(run: Run, terminal: Opener, alive: str):
    narrow = terminal([run.pyd, "ps", "-a", "-f", f"name={alive}"], size=(40, 20), env=run.host)
    assert narrow.wait_exit() == 0
    lines = [line for line in narrow.screen.splitlines() if line.strip()]
    assert len(lines) == 2
    assert "running" in lines[1]


def test_inspect_finds_containers_images_networks_and_volumes(run: Run, docker: Docker, alive: str, distroless: str):
    network, volume = docker.name("net"), docker.name("vol")
    docker("network", "create", "--internal", "--label", f"pyd.test={docker.prefix}", network)
    docker("volume", "create", "--label", f"pyd.test={docker.prefix}", volume)
    documents = json.loads(run("inspect", alive, distroless, network, volume).stdout)
    assert documents[0]["Name"] == f"/{alive}"
    assert distroless in documents[1]["RepoTags"]
    assert [documents[2]["Name"], documents[3]["Name"]] == [network, volume]
    assert json.loads(run("inspect", documents[0]["Id"][:20]).stdout)[0]["Name"] == f"/{alive}"


def test_inspect_prints_what_it_found_and_tells_what_it_did_not(run: Run, alive: str):
    done = run("inspect", alive, "no-such-thing-here")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)) == 1
    assert "no such object: no-such-thing-here [no-such-object]" in done.stderr
    wrong = run("inspect", "--type", "network", alive)
    assert (wrong.returncode, json.loads(wrong.stdout)) == (1, [])


def test_inspect_is_highlighted_on_a_terminal(run: Run, terminal: Opener, alive: str):
    shown = terminal([run.pyd, "inspect", alive], size=(100, 50), env=run.host)
    assert shown.wait_exit() == 0
    assert '"NetworkSettings"' in shown.history
    assert "\x1b[1;34m" in shown.ansi or "\x1b[1m\x1b[34m" in shown.ansi


def test_top_lists_processes_and_passes_options_of_ps_on(run: Run, docker: Docker, alive: str):
    pid = docker.inspect(alive)["State"]["Pid"]
    assert re.search(rf"\b{pid}\b.*/app", run("top", alive).stdout)
    (rows,) = json.loads(run("top", "--json", alive, "-o", "pid,comm").stdout)
    assert rows == {"PID": str(pid), "COMMAND": "app"}


def test_past_events_end_by_themselves_and_follow_filters(run: Run, docker: Docker, ended: str):
    since = docker.inspect(ended)["Created"]
    shown = run("events", "--since", since, "--until", "0s", "-f", f"container={ended}", "-f", "event=die")
    assert shown.returncode == 0
    (line,) = shown.stdout.splitlines()
    assert re.search(rf"container die {ended} .*exitCode=42", line)
    rows = run("events", "--since", since, "--until", "0s", "-f", f"container={ended}", "--json").stdout.splitlines()
    assert [json.loads(row)["Action"] for row in rows][:1] == ["create"]


def test_events_arrive_as_they_happen_and_ctrl_c_is_quiet(run: Run, docker: Docker, terminal: Opener, busybox: str):
    name = docker.create("evented", busybox, "true", options=("--network", "none"))
    shown = terminal([run.pyd, "events", "-f", f"container={name}"], env=run.host)
    docker("start", name)
    # The stream may have begun after the start; each further start makes another death until one is seen.
    for _ in range(20):
        try:
            shown.wait_for(f"die {name}", bound=2)
            break
        except AssertionError:
            docker("start", name)
    shown.keys("C-c")
    assert shown.wait_exit() == 130
    assert "Traceback" not in shown.history


def test_stats_once_tells_memory_and_limit(run: Run, alive: str):
    (rows,) = json.loads(run("stats", "--no-stream", "--json", alive).stdout)
    assert rows["name"] == alive
    assert rows["memory_limit_bytes"] == 64 * 2**20
    assert 0 < rows["memory_bytes"] < 64 * 2**20
    assert rows["cpu_percent"] is not None
    assert rows["pids"] == 1


def test_stats_of_several_seconds_are_a_line_each_and_in_place_on_a_terminal(run: Run, terminal: Opener, alive: str):
    stream = subprocess.Popen([run.pyd, "stats", "--json", alive], stdout=subprocess.PIPE, env=run.env)
    assert stream.stdout is not None
    try:
        times = [json.loads(stream.stdout.readline())["time"] for _ in range(2)]
    finally:
        stream.terminate()
        stream.communicate()
    assert times[0] < times[1]
    shown = terminal([run.pyd, "stats", alive], env=run.host)
    shown.wait_for(re.compile(rf"{alive} +\d+\.\d"))
    assert shown.screen.count("CPU %") == 1
    shown.keys("C-c")
    assert shown.wait_exit() == 130


def test_stats_end_when_the_container_is_removed(run: Run, docker: Docker, distroless: str):
    name = docker.run("leaving", distroless, options=("--network", "none"))
    stream = subprocess.Popen([run.pyd, "stats", "--json", name], stdout=subprocess.PIPE, env=run.env)
    assert stream.stdout is not None
    assert stream.stdout.readline()
    docker("rm", "-f", name)
    stream.communicate(timeout=120)
    assert stream.returncode == 0


def test_version_and_info_tell_of_the_engine(run: Run, docker: Docker):
    rows = json.loads(run("version", "--json").stdout)
    version = docker("version", "-f", "{{.Server.Version}}")
    assert rows["engine"]["Version"] == version
    assert f"\nengine  Docker {version} (API " in run("version").stdout
    assert rows["client"]["version"] in run("version", "--client").stdout
    assert json.loads(run("info", "--json").stdout)["NCPU"] == os.cpu_count()
    assert docker.host in run("info").stdout


def test_contexts_are_those_of_the_docker_command(run: Run, docker: Docker, tmp_path: Path):
    variables: dict[str, Any] = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": ""}
    subprocess.run(
        [*docker.command, "context", "create", "here", "--docker", f"host={docker.host}"],
        check=True,
        capture_output=True,
        env={**os.environ, **variables},
    )
    assert run("context", "use", "here", **variables).stdout == "here\n"
    rows = {row["name"]: row for row in json.loads(run("context", "ls", "--json", **variables).stdout)}
    assert rows["here"]["current"] is True
    assert rows["here"]["url"] == docker.host
    assert re.search(r"^\* +here ", run("context", "ls", **variables).stdout, re.MULTILINE)
    assert run("ps", **variables).returncode == 0
    missing = run("context", "use", "nowhere", **variables)
    assert missing.returncode == 1
    assert "[no-such-context]" in missing.stderr


def test_a_socket_one_may_not_use_is_told_with_exit_code_125(run: Run):
    if os.getuid() != 0:
        pytest.skip("needs root, to become another user")
    # Once as root, because the interpreter's own files may be closed to others and must all be loaded.
    become = (
        "import os, sys; from pyd_tui.cli import entry, process_exit; entry.invoke(); sys.stdout.flush();"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534); process_exit.end_with(entry.invoke)"
    )
    done = subprocess.run(
        [sys.executable, "-c", become, "ps"], capture_output=True, text=True, check=False, env={**run.env, "HOME": "/"}
    )
    assert done.returncode == 125
    assert "[engine-permission]" in done.stderr
    assert "usermod" in done.stderr
