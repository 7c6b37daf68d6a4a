"""Containers from creation to removal, as the docker client sees them."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from support.docker import Docker

OFFLINE = ("--network", "none")


def run(docker: Docker, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = ["docker", "-H", docker.host, *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def watch(docker: Docker, *arguments: str) -> subprocess.Popen[bytes]:
    command = ["docker", "-H", docker.host, *arguments, "--format", "{{.Action}}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_a_command_runs_and_its_exit_code_comes_back(docker: Docker, busybox: str):
    done = run(docker, "run", "--rm", *OFFLINE, busybox, "sh", "-c", "echo out; echo err >&2; exit 37")
    assert (done.returncode, done.stdout, done.stderr) == (37, b"out\n", b"err\n")


def test_standard_input_is_passed_on_and_its_end_too(docker: Docker, busybox: str):
    done = run(docker, "run", "--rm", "-i", *OFFLINE, busybox, "cat", stdin=b"x" * 300_000)
    assert len(done.stdout) == 300_000


@pytest.mark.parametrize(("command", "code"), [("/nosuch", 127), ("/etc", 126)])
def test_a_command_that_cannot_start_has_the_clients_usual_exit_code(
    docker: Docker, busybox: str, command: str, code: int
):
    done = run(docker, "run", "--rm", *OFFLINE, busybox, command)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


def test_defaults_are_those_of_docker_engine(docker: Docker, busybox: str):
    script = "grep -E '^(CapEff|Seccomp):' /proc/self/status; ls /proc/kcore >&2; echo x > /proc/sys/kernel/hostname"
    done = run(docker, "run", "--rm", *OFFLINE, busybox, "sh", "-c", script)
    assert b"CapEff:\t00000000a80425fb" in done.stdout
    assert b"Seccomp:\t2" in done.stdout
    assert b"Read-only file system" in done.stderr


def test_a_user_other_than_root_has_no_capability(docker: Docker, busybox: str):
    options = ("--user", "1000:1001", "--group-add", "7", *OFFLINE)
    done = run(docker, "run", "--rm", *options, busybox, "sh", "-c", "id; grep CapEff /proc/self/status")
    assert b"uid=1000 gid=1001 groups=7,1001" in done.stdout.replace(b"1001,7", b"7,1001")
    assert b"CapEff:\t0000000000000000" in done.stdout


def test_limits_reach_the_control_group(docker: Docker, busybox: str):
    name = docker.run("limits", busybox, "sleep", "1000", options=("-m", "64m", "--pids-limit", "50", *OFFLINE))
    listed = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", name)
    assert listed.endswith("/ 64MiB")
    docker("update", "-m", "128m", "--memory-swap", "256m", name)
    assert docker("stats", "--no-stream", "--format", "{{.MemUsage}}", name).endswith("/ 128MiB")
    docker("rm", "-f", name)


def test_out_of_memory_is_reported(docker: Docker, busybox: str):
    hog = "x=y; while :; do x=$x$x; done"
    name = docker.create("hog", busybox, "sh", "-c", hog, options=("-m", "16m", "--memory-swap", "16m", *OFFLINE))
    run(docker, "start", "-a", name)
    state = docker.inspect(name)["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (137, True)
    docker("rm", name)


def test_logs_have_both_streams_times_and_the_tail(docker: Docker, busybox: str):
    name = docker.run("logs", busybox, "sh", "-c", "for i in 1 2 3; do echo o$i; echo e$i >&2; done", options=OFFLINE)
    docker("wait", name)
    done = run(docker, "logs", name)
    assert (done.stdout, done.stderr) == (b"o1\no2\no3\n", b"e1\ne2\ne3\n")
    assert (
        run(docker, "logs", "--tail", "2", name).stdout.split()
        + run(docker, "logs", "--tail", "2", name).stderr.split()
    )
    stamped = run(docker, "logs", "-t", name).stdout.splitlines()[0]
    assert stamped.endswith(b"Z o1")
    docker("rm", name)


def test_following_logs_ends_with_the_container(docker: Docker, busybox: str):
    name = docker.run("follow", busybox, "sh", "-c", "echo a; sleep 0.3; echo b", options=OFFLINE)
    assert run(docker, "logs", "-f", name).stdout == b"a\nb\n"
    docker("rm", name)


def test_stop_gives_the_stop_signal_and_then_kills(docker: Docker, busybox: str):
    polite = docker.run("polite", busybox, "sh", "-c", "trap 'exit 5' USR1; while :; do sleep 0.05; done",
                        options=("--stop-signal", "USR1", *OFFLINE))  # fmt: skip
    docker("exec", polite, "true")
    docker("stop", polite)
    assert docker.inspect(polite)["State"]["ExitCode"] == 5
    stubborn = docker.run(
        "stubborn", busybox, "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", options=OFFLINE
    )
    docker("exec", stubborn, "true")
    docker("stop", "-t", "0", stubborn)
    assert docker.inspect(stubborn)["State"]["ExitCode"] == 137
    docker("rm", polite, stubborn)


def test_pause_freezes_and_unpause_lets_go(docker: Docker, busybox: str):
    name = docker.run("frozen", busybox, "sleep", "1000", options=OFFLINE)
    docker("pause", name)
    assert docker.inspect(name)["State"]["Status"] == "paused"
    assert b"is paused" in run(docker, "exec", name, "true").stderr
    docker("unpause", name)
    docker("exec", name, "true")
    docker("rm", "-f", name)


def test_exec_has_its_own_streams_user_and_directory(docker: Docker, busybox: str):
    name = docker.run("exec", busybox, "sleep", "1000", options=OFFLINE)
    done = run(
        docker,
        "exec",
        "-i",
        "-u",
        "33",
        "-w",
        "/tmp",
        "-e",
        "A=b",
        name,
        "sh",
        "-c",
        "id -u; pwd; echo $A; cat; exit 9",
        stdin=b"in",
    )
    assert (done.returncode, done.stdout) == (9, b"33\n/tmp\nb\nin")
    assert run(docker, "exec", name, "/nosuch").returncode == 126
    for options in ((), ("-t",), ("-i",)):
        unknown = run(docker, "exec", *options, "-u", "nobody-here", name, "id")
        assert unknown.returncode == 126
        assert b"unable to find user nobody-here" in unknown.stdout + unknown.stderr
    docker("exec", "-d", name, "touch", "/tmp/made")
    assert run(docker, "exec", name, "sh", "-c", "until [ -e /tmp/made ]; do :; done; ls /tmp").stdout == b"made\n"
    assert run(docker, "exec", "-t", name, "sh", "-c", "tty").stdout.startswith(b"/dev/pts/")
    docker("rm", "-f", name)


def test_a_name_is_taken_once_and_can_be_changed(docker: Docker, busybox: str):
    name = docker.create("taken", busybox, options=OFFLINE)
    done = run(docker, "create", "--name", name, busybox)
    assert b"is already in use by container" in done.stderr
    docker("rename", name, name + "2")
    assert docker.inspect(name + "2")["Name"] == f"/{name}2"
    docker("rm", name + "2")


def test_health_turns_with_its_probe(docker: Docker, busybox: str):
    probe = (
        "--health-cmd",
        "test -e /tmp/ok",
        "--health-interval",
        "100ms",
        "--health-retries",
        "1",
        "--network",
        "none",
    )
    name = docker.run("health", busybox, "sleep", "1000", options=probe)
    begun = docker.inspect(name)["Created"]
    arguments = ("events", "--since", begun, "--filter", f"container={name}", "--filter", "event=health_status")
    watching = subprocess.Popen(
        ["docker", "-H", docker.host, *arguments, "--format", "{{.Action}}"], stdout=subprocess.PIPE
    )
    assert watching.stdout is not None
    assert watching.stdout.readline() == b"health_status: unhealthy\n"
    docker("exec", name, "touch", "/tmp/ok")
    assert watching.stdout.readline() == b"health_status: healthy\n"
    watching.kill()
    watching.communicate()
    assert "(healthy)" in docker("ps", "--filter", f"name={name}", "--format", "{{.Status}}")
    docker("rm", "-f", name)


def test_a_crashing_container_is_restarted_as_often_as_its_policy_allows(docker: Docker, busybox: str):
    name = docker.create("crash", busybox, "sh", "-c", "exit 3", options=("--restart", "on-failure:2", *OFFLINE))
    begun = docker.inspect(name)["Created"]
    arguments = (
        "events",
        "--since",
        begun,
        "--filter",
        f"container={name}",
        "--filter",
        "event=die",
        "--format",
        "{{.Action}}",
    )
    watching = subprocess.Popen(["docker", "-H", docker.host, *arguments], stdout=subprocess.PIPE)
    docker("start", name)
    assert watching.stdout is not None
    assert [watching.stdout.readline() for _ in range(3)] == [b"die\n"] * 3
    watching.kill()
    watching.communicate()
    docker("wait", name)
    attributes = docker.inspect(name)
    assert (attributes["RestartCount"], attributes["State"]["Status"]) == (2, "exited")
    docker("rm", name)


def test_events_are_kept_from_the_beginning(docker: Docker, busybox: str):
    name = docker.run("since-start", busybox, "sleep", "1000", options=OFFLINE)
    until = str(int(time.time()) + 1)
    options = ("--since", "0", "--until", until, "--filter", f"container={name}", "--format", "{{.Action}}")
    assert docker("events", *options).splitlines() == ["create", "start"]
    docker("rm", "-f", name)


def test_a_container_that_crashes_again_and_again_can_be_stopped(docker: Docker, busybox: str):
    for attempt in range(8):  # a stop must hold whether it waits for its next start or is in the middle of one
        name = docker.run("crashing", busybox, "false", options=("--restart", "always", *OFFLINE))
        events = watch(docker, "events", "--since", "0", "--filter", f"container={name}", "--filter", "event=die")
        assert events.stdout is not None
        for _ in range(1 + attempt % 2):
            events.stdout.readline()
        docker("stop", "-t", "0", name)
        state = docker.inspect(name)["State"]
        assert (state["Status"], state["Restarting"]) == ("exited", False)
        docker("rm", name)  # without force: it would be refused if it ran again
        events.terminate()
        events.wait()
        events.stdout.close()


def test_read_only_tmpfs_binds_and_volumes(docker: Docker, busybox: str, tmp_path: Path):
    (tmp_path / "given").write_text("from the host\n")
    options = (
        "--read-only",
        "--tmpfs",
        "/scratch",
        "-v",
        f"{tmp_path}:/host:ro",
        "-v",
        docker.name("vol") + ":/data",
        "--network",
        "none",
    )
    script = "touch /scratch/a /data/b && cat /host/given; touch /x; touch /host/y"
    done = run(docker, "run", "--rm", *options, busybox, "sh", "-c", script)
    assert done.stdout == b"from the host\n"
    assert done.stderr.count(b"Read-only file system") == 2
    done = run(docker, "run", "--rm", "-v", docker.name("vol") + ":/data", "--network", "none", busybox, "ls", "/data")
    assert done.stdout == b"b\n"
    docker("volume", "rm", docker.name("vol"))


def test_a_new_volume_gets_what_the_image_has_there(docker: Docker, busybox: str):
    before = docker("volume", "ls", "-q")
    done = run(docker, "run", "--rm", "-v", "/bin", "--network", "none", busybox, "ls", "/bin/busybox")
    assert done.stdout == b"/bin/busybox\n"
    assert docker("volume", "ls", "-q") == before  # an anonymous one goes with its container


def test_inspect_has_every_field_readers_look_up_by_name(docker: Docker, busybox: str):
    name = docker.create("fields", busybox, options=OFFLINE)
    attributes = docker.inspect(name)
    assert attributes["State"]["Running"] is False
    assert attributes["State"]["ExitCode"] == 0
    assert attributes["HostConfig"]["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert attributes["GraphDriver"]["Data"]["UpperDir"]
    assert attributes["Config"]["Hostname"] == attributes["Id"][:12]
    docker("rm", name)


def test_invalid_options_are_refused_with_a_message(docker: Docker, busybox: str):
    for options, words in (
        (("-m", "1m"), b"Minimum memory limit"),
        (("--cap-add", "NOSUCH"), b'invalid CapAdd: unknown capability: "CAP_NOSUCH"'),
        (("--cpus", "999"), b"Range of CPUs"),
        (("--name", "a"), b"Invalid container name"),
        (("-v", "/a:relative"), b"mount path must be absolute"),
        (("--restart", "sometimes"), b"invalid restart policy"),
    ):
        done = run(docker, "create", *options, busybox)
        assert words in done.stderr, done.stderr
        assert done.returncode != 0


def test_events_report_a_containers_life_in_order(docker: Docker, busybox: str):
    name = docker.create("life", busybox, "true", options=OFFLINE)
    docker("start", "-a", name)
    docker("rm", name)
    begun = "1970-01-01T00:00:01Z"
    output = docker(
        "events",
        "--since",
        begun,
        "--until",
        f"{time.time():.9f}",
        "--filter",
        f"container={name}",
        "--format",
        "{{json .}}",
    )
    actions = [json.loads(line)["Action"] for line in output.splitlines()]
    assert [action for action in actions if action != "attach"] == ["create", "start", "die", "destroy"]


def test_a_terminal_size_is_always_two_numbers(docker: Docker, busybox: str):
    name = docker.name("sized")
    body = json.dumps({"Image": busybox, "HostConfig": {"ConsoleSize": []}})
    socket = docker.host.removeprefix("unix://")
    command = ["curl", "-s", "--unix-socket", socket, "-H", "Content-Type: application/json", "-d", body]
    subprocess.run([*command, f"http://e/containers/create?name={name}"], check=True, capture_output=True)
    assert docker.inspect(name)["HostConfig"]["ConsoleSize"] == [0, 0]
    docker("rm", name)
