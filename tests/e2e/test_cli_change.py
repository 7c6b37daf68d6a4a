"""The verbs that change containers, on a real engine."""

from __future__ import annotations

import json

from support.docker import Docker
from support.pyd import Run


def _state(docker: Docker, name: str) -> str:
    return str(docker.inspect(name)["State"]["Status"])


def test_a_container_goes_through_its_whole_life(run: Run, docker: Docker, distroless: str):
    name = docker.create("life", distroless, options=("--network", "none"))
    for verb, state in (
        (("start",), "running"),
        (("pause",), "paused"),
        (("unpause",), "running"),
        (("restart", "-t", "2"), "running"),
        (("kill", "-s", "TERM"), None),
        (("start",), "running"),
        (("stop", "-t", "5"), "exited"),
    ):
        done = run(*verb, name)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{name}\n", ""), verb
        if state is None:
            docker("wait", name)
        else:
            assert _state(docker, name) == state
    assert docker.inspect(name)["State"]["ExitCode"] == 0
    assert run("rm", name).stdout == f"{name}\n"
    assert docker("ps", "-aq", "-f", f"name={name}") == ""


def test_several_are_acted_on_and_one_that_fails_stops_none_of_the_others(run: Run, docker: Docker, distroless: str):
    first, second = (docker.run(short, distroless, options=("--network", "none")) for short in ("many1", "many2"))
    done = run("stop", "-t", "3", first, "no-such-one", second)
    assert done.returncode == 1
    assert sorted(done.stdout.split()) == [first, second]
    assert done.stderr.startswith("pyd: no such container: no-such-one [no-such-container]\nhint: ")
    assert _state(docker, first) == _state(docker, second) == "exited"


def test_json_has_a_result_for_each_in_the_order_asked(run: Run, docker: Docker, distroless: str):
    name = docker.run("result", distroless, options=("--network", "none"))
    done = run("kill", "--json", "no-such-one", name)
    assert (done.returncode, done.stderr) == (1, "")
    missing, killed = json.loads(done.stdout)
    assert (missing["ok"], missing["reference"]) == (False, "no-such-container")
    assert (killed["name"], killed["ok"], killed["id"]) == (name, True, docker.inspect(name)["Id"])


def test_an_id_prefix_names_a_container_and_a_running_one_is_not_removed_without_force(
    run: Run, docker: Docker, distroless: str
):
    name = docker.run("kept", distroless, options=("--network", "none"))
    prefix = docker.inspect(name)["Id"][:16]
    refused = run("rm", prefix)
    assert refused.returncode == 1
    assert "[conflict]" in refused.stderr
    assert _state(docker, name) == "running"
    assert run("rm", "-f", prefix).returncode == 0
    assert docker("ps", "-aq", "-f", f"name={name}") == ""


def test_rm_takes_anonymous_volumes_along_only_when_asked(run: Run, docker: Docker, distroless: str):
    volumes = []
    for short, options in (("keepvol", ()), ("dropvol", ("-v",))):
        name = docker.create(short, distroless, options=("-v", "/data", "--network", "none"))
        volumes.append(docker.inspect(name)["Mounts"][0]["Name"])
        assert run("rm", *options, name).returncode == 0
    left = docker("volume", "ls", "-q").split()
    assert volumes[0] in left
    assert volumes[1] not in left
    docker("volume", "rm", volumes[0])


def test_what_the_engine_refuses_is_told_in_its_words(run: Run, docker: Docker, distroless: str):
    name = docker.create("refused", distroless, options=("--network", "none"))
    done = run("kill", name)
    assert done.returncode == 1
    assert name in done.stderr
    assert "is not running" in done.stderr


def test_read_only_refuses_every_change_and_a_debug_shell_and_still_reads(run: Run, docker: Docker, distroless: str):
    name = docker.run("kept", distroless, options=("--network", "none"))
    for verb in (("stop", name), ("rm", "-f", name), ("exec", name, "/app"), ("debug", name, "-c", "true")):
        done = run("--read-only", *verb)
        assert done.returncode in {1, 125}, verb
        assert "read-only: nothing is changed on this engine" in done.stderr, verb
    assert name in run("ps", "--read-only").stdout
    assert _state(docker, name) == "running"
