"""Builtins that look: each finds a fact planted in a real container."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from support.debugging import Builtins, Run, command, main_pid, sessions_left
from support.docker import LONE, Docker
from support.staging import wait_until

SCRIPT = """
mkdir /www; echo welcome > /www/index.html
httpd -p 127.0.0.1:8080 -h /www
exec 3>/tmp/held; rm /tmp/held
printf 'planted \\033[31mline\\n'; : > "/tmp/$(printf 'a\\033[2Jb')"
while :; do sleep 1000; done
"""


@pytest.fixture(scope="module")
def planted(debug: Run, docker: Docker, busybox: str, tmp_path_factory: pytest.TempPathFactory) -> Builtins:
    """A container full of planted facts."""
    volume = tmp_path_factory.mktemp("volume")
    options = (
        *(*LONE, "--memory", "64m", "--pids-limit", "99", "--ulimit", "nofile=77:88"),
        *("-e", "API_TOKEN=sesame", "-e", "URL=http://me:hidden@db/x", "-e", "COLOUR=green"),
        *("--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE", "--security-opt", "no-new-privileges"),
        *("-v", f"{volume}:/data:ro", "-w", "/tmp"),
    )
    name = docker.run("planted", busybox, "sh", "-c", SCRIPT, options=options)
    wait_until(lambda: "planted" in docker("logs", name))
    return Builtins(debug, name)


def test_ps_is_a_tree_with_both_pids_memory_and_files(planted: Builtins, docker: Docker):
    processes = {row["name"]: row for row in planted.json("ps")}
    shell, server, sleeper = processes["sh"], processes["httpd"], processes["sleep"]
    assert (shell["pid"], shell["parent"], shell["depth"]) == (1, 0, 0)
    assert shell["host_pid"] == main_pid(docker, planted.name)
    assert (sleeper["parent"], sleeper["depth"]) == (1, 1)
    assert server["memory"] > 0
    assert server["descriptors"] >= 4
    assert "httpd -p 127.0.0.1:8080" in planted("ps").stdout
    assert set(processes) == {"sh", "httpd", "sleep"}  # no session of ours among them


def test_sockets_names_who_listens(planted: Builtins):
    (only,) = planted.json("sockets -l")
    assert (only["local"], only["port"], only["state"], only["process"]) == ("127.0.0.1", 8080, "listening", "httpd")
    assert only["pid"] == next(row["pid"] for row in planted.json("ps") if row["name"] == "httpd")


def test_fds_finds_an_open_file_that_is_deleted(planted: Builtins):
    descriptors = {row["number"]: row for row in planted.json("fds 1")}
    assert descriptors[3]["kind"] == "deleted"
    assert descriptors[3]["target"] == "/tmp/held (deleted)"
    assert descriptors[3]["access"] == "w"
    server = next(row["pid"] for row in planted.json("ps") if row["name"] == "httpd")
    assert "tcp listening 127.0.0.1:8080" in planted(f"fds {server}").stdout
    missing = planted("fds 4242")
    assert missing.returncode == 1
    assert "no process 4242 in the container" in missing.stderr


def test_maps_limits_and_caps_of_the_main_process(planted: Builtins):
    maps = {row["name"]: row for row in planted.json("maps")}
    assert maps["/bin/busybox"]["rss"] > 0
    assert "x" in maps["/bin/busybox"]["permissions"]
    limits = {row["name"]: row for row in planted.json("limits")}
    assert (limits["open files"]["soft"], limits["open files"]["hard"]) == (77, 88)
    assert limits["open files"]["used"] >= 4
    rights = planted.json("caps")
    assert rights["effective"] == ["net_bind_service"] == rights["bounding"]
    assert rights["no_new_privileges"]
    assert rights["seccomp"] == "filter"
    assert "net_bind_service" in planted("caps").stdout


def test_env_leaves_secrets_out_unless_asked(planted: Builtins):
    variables = {row["name"]: row for row in planted.json("env")}
    assert variables["COLOUR"]["value"] == "green"
    assert variables["COLOUR"]["configured"]
    assert variables["API_TOKEN"]["masked"]
    text = planted("env").stdout + json.dumps(variables)
    assert "sesame" not in text
    assert "hidden" not in text
    assert "http://me:" in text
    assert "sesame" in planted("env --show").stdout


def test_mounts_tells_a_volume_its_source_and_that_it_is_read_only(planted: Builtins, docker: Docker):
    mounts = {row["path"]: row for row in planted.json("mounts")}
    assert mounts["/data"]["origin"] == "bind"
    assert mounts["/data"]["read_only"]
    assert mounts["/data"]["source"] == docker.inspect(planted.name)["Mounts"][0]["Source"]
    assert mounts["/"]["origin"] == "root"
    assert "/proc" not in mounts
    assert "/proc" in {row["path"] for row in planted.json("mounts -a")}


def test_cgroup_tells_limits_use_and_throttling(planted: Builtins, debug: Run, docker: Docker, busybox: str):
    usage = planted.json("cgroup")
    assert usage["memory_limit"] == 64 << 20
    assert 0 < usage["memory"] < 64 << 20
    assert usage["pids_limit"] == 99
    assert usage["pids"] == 3
    assert usage["oom_kills"] == 0
    options = ("--cpus", "0.05", *LONE)
    throttled = Builtins(debug, docker.run("throttled", busybox, "sh", "-c", "while :; do :; done", options=options))
    wait_until(lambda: throttled.json("cgroup")["throttled"] > 0)
    assert throttled.json("cgroup")["cpu_limit"] == 0.05
    assert "throttled by its CPU limit" in throttled("why").stdout or throttled.json("why")["cause"]


def test_files_shows_hostile_names_harmlessly(planted: Builtins):
    done = planted("files /tmp")
    assert "\x1b" not in done.stdout
    assert "a␛[2Jb" in done.stdout
    assert "a\x1b[2Jb" in {row["name"] for row in planted.json("files /tmp")}
    (link,) = [row for row in planted.json("files /bin") if row["name"] == "httpd"]
    assert (link["kind"], link["link"]) == ("link", "busybox")
    assert planted("files").stdout == done.stdout  # the container's own folder
    gone = planted("files /nowhere")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "[not-found]" in gone.stderr


def test_what_the_engine_knows_is_asked_of_it(planted: Builtins, docker: Docker, busybox: str):
    changed = {row["path"]: row["kind"] for row in planted.json("diff")}
    assert changed["/www/index.html"] == "added"
    assert "/www/index.html" in planted("diff /www").stdout
    assert "/tmp" not in planted("diff /www").stdout
    logs = planted("logs")
    assert "planted" in logs.stdout
    assert "\x1b" not in logs.stdout
    assert planted("logs --grep nothing-such").returncode == 1
    assert planted("inspect Name").stdout.strip() == f"/{planted.name}"
    assert planted.json("inspect State")["Pid"] == main_pid(docker, planted.name)
    assert planted("inspect State.Nope").returncode == 1
    own, image = planted.json("layers")
    assert own["made_by"] == "the container itself"
    assert own["size"] > 0
    assert image["size"] > 1 << 20
    verdict = planted.json("why")
    assert verdict["name"] == planted.name


def test_logs_go_on_until_interrupted_and_until_the_target_ends(debug: Run, docker: Docker, busybox: str):
    script = "echo first; while ! test -e /second; do sleep 0.05; done; echo second; exec sleep 1000"
    name = docker.run("talks", busybox, "sh", "-c", script, options=LONE)
    for ending in ("interrupt", "end"):
        with subprocess.Popen(command(name, "-b", "logs -f --json"), stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["message"] == "first"
            # no other process waits for a session that won't come
            assert Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() == ""
            docker("exec", name, "touch", "/second")
            assert json.loads(process.stdout.readline())["message"] == "second"
            if ending == "interrupt":
                process.send_signal(signal.SIGINT)
            else:
                docker("kill", name)
            assert process.stdout.read() == ""
            assert process.wait(120) == 0
    assert sessions_left() == []


def test_nothing_is_left_and_a_container_without_anything_is_seen_as_well(
    planted: Builtins, debug: Run, docker: Docker, distroless: str
):
    before = Path(f"/proc/{planted.json('ps')[0]['host_pid']}/mountinfo").read_text()
    options = (*LONE, "--read-only", "--user", "1000", "--cap-drop", "ALL")
    bare = Builtins(debug, docker.run("bare", distroless, options=options))
    assert [row["name"] for row in bare.json("ps")] == ["app"]
    assert "app" in {row["name"] for row in bare.json("files /")}
    assert bare.json("caps")["effective"] == []
    assert {row["name"] for row in bare.json("net")["interfaces"]} == {"lo"}
    assert Path(f"/proc/{planted.json('ps')[0]['host_pid']}/mountinfo").read_text() == before
    assert sessions_left() == []


def test_a_builtin_that_is_none_and_options_that_contradict_are_refused(debug: Run, docker: Docker, planted: Builtins):
    assert "available:" in planted("nonesuch").stderr
    assert planted("ps --nope").returncode == 2
    assert "Examples" in planted("ps --help").stdout
    assert planted("files 'open").returncode == 2
    assert debug(planted.name, "-b", "ps", "-c", "true").returncode == 2
    process = f"pid:{main_pid(docker, planted.name)}"
    assert debug(process, "-b", "sockets --json").stdout == planted("sockets --json").stdout
    assert "isn't a container" in debug(process, "-b", "logs").stderr


def test_with_the_hosts_pids_and_network_only_the_containers_own_are_shown(debug: Run, docker: Docker, busybox: str):
    options = ("--pid", "host", "--network", "host", "--stop-signal", "KILL")
    script = "httpd -p 127.0.0.1:0 -h / 2>/dev/null; exec sleep 1000"
    shared = Builtins(debug, docker.run("shared", busybox, "sh", "-c", script, options=options))
    pid = main_pid(docker, shared.name)
    rows = shared.json("ps")
    assert {row["name"] for row in rows} <= {"sh", "sleep", "httpd"}
    assert pid in {row["pid"] for row in rows}
    assert all(row["process"] for row in shared.json("sockets"))
    assert "[no-such-process]" in shared("fds 1").stderr  # the host's first is none of its own
    assert "this captures the machine's traffic" in shared("pcap no such filter").stderr
