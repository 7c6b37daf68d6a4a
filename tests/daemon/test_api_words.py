"""Statuses and words of the API that clients and scripts know, alike on both engines."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.api import Api
from support.docker import LABEL, LONE, Docker, busybox_files


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("apiwords", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture(scope="module")
def api(both: Docker) -> Iterator[Api]:
    with Api(both) as api:
        yield api


@pytest.fixture
def sleeping(both: Docker, image: str) -> Iterator[str]:
    name = both.run("sleeping", image, "sleep", "1000", options=LONE)
    yield name
    both("rm", "-f", name)


def test_every_path_has_options(api: Api):
    """Version 0.1 answered 404."""
    for path in ("/", "/containers/json", "/nosuch"):
        assert api.options(path).status_code == 200


def test_a_path_with_another_method_is_not_found(api: Api):
    """Clients of releases long gone copy files by it."""
    assert api.refusal("POST", "/containers/any/copy", json={}) == (404, "page not found")
    assert api.refusal("DELETE", "/info") == (404, "page not found")


def test_a_version_that_is_not_spoken_is_refused(api: Api):
    status, message = api.refusal("GET", "/v1.23/version")
    words = "client version 1.23 is too old. Minimum supported API version is 1.24"
    assert (status, message) == (400, f"{words}, please upgrade your client to a newer version")
    status, message = api.refusal("GET", "/v1.99/version")
    assert (status, message.startswith("client version 1.99 is too new. Maximum supported API")) == (400, True)


def test_versions_can_be_negotiated(api: Api):
    """The headers and fields by which clients of later releases find the version that both speak."""
    ping = api.get("/_ping")
    assert (ping.headers["api-version"], ping.headers["ostype"], ping.text) == ("1.45", "linux", "OK")
    assert (api.head("/_ping").headers["api-version"], api.head("/_ping").content) == ("1.45", b"")
    version = api.get("/version").json()
    assert (version["ApiVersion"], version["MinAPIVersion"]) == ("1.45", "1.24")
    details = version["Components"][0]["Details"]
    assert {"ApiVersion", "Arch", "BuildTime", "Experimental", "GitCommit", "GoVersion", "KernelVersion"} <= set(
        details
    )
    assert details["Experimental"] == "false"
    assert api.get("/v1.24/info").json()["ExecutionDriver"] == "<not supported>"


@pytest.mark.parametrize(
    ("verb", "failure"),
    [
        ("kill", "cannot kill container: {}"),
        ("stop", "cannot stop container: {}"),
        ("restart", "Cannot restart container {}"),
    ],
)
def test_a_signal_that_is_none_is_refused(api: Api, both: Docker, sleeping: str, verb: str, failure: str):
    """Version 0.1 took `SIG42`, as if it were 42."""
    for name in ("foo", "SIG42", "0", "SIGRTMIN+99"):
        status, message = api.refusal("POST", f"/containers/{sleeping}/{verb}", params={"signal": name})
        assert message == f"{failure.format(sleeping)}: invalid signal: {name}"
        assert status in {400, 500}  # which of the two depends on the verb with Docker Engine
    assert both.inspect(sleeping)["State"]["Running"]
    if verb == "kill":
        status, message = api.refusal("POST", f"/containers/{sleeping}/kill", params={"signal": "65"})
        assert (status, "the linux daemon does not support signal 65" in message) == (400, True)
        both("kill", "-s", "RTMIN+3", sleeping)


def test_a_kill_ends_the_wait_for_the_next_start(api: Api, both: Docker, image: str):
    """Version 0.1 refused it: the container was not running, and started again."""
    name = both.run("again", image, "false", options=(*LONE, "--restart", "always"))
    late = time.monotonic() + 120
    while both.inspect(name)["State"]["Status"] != "restarting":
        assert time.monotonic() < late
    both("kill", name, check=False)
    both("wait", name)
    assert both.inspect(name)["State"]["Status"] == "exited"
    both("rm", name)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--device", "/etc"),
            'error gathering device information while adding custom device "/etc": not a device node',
        ),
        (("--device", "/nosuch"), 'adding custom device "/nosuch": no such file or directory'),
        (("--log-driver", "nosuch"), 'error looking up logging plugin nosuch: plugin "nosuch" not found\n'),
        (("-u", "-1"), "uids and gids must be in range 0-2147483647"),
        (("--cpu-shares", "1"), "the minimum allowed cpu-shares is 2"),
        (("--cpu-shares", "-1"), "shares: invalid argument"),
        (("--cpu-shares", "99999999"), "the maximum allowed cpu-shares is 262144"),
        (("--cpus", "1", "--cpu-period", "50000"), "Conflicting options: Nano CPUs and CPU Period cannot both be set"),
        (("--cpus", "999"), "Range of CPUs is from 0.01 to "),
        (("--cpuset-cpus", "1-42,,"), "Invalid value 1-42,, for cpuset cpus: invalid format: 1-42,,"),
        (("--cpuset-mems", "42-3,1--"), "Invalid value 42-3,1-- for cpuset mems"),
        (("--stop-signal", "nosuch"), "invalid signal: nosuch"),
        (("--isolation", "nosuch"), "Invalid isolation: \"nosuch\" - linux only supports 'default'"),
        (("--cap-add", "NOSUCH"), 'invalid CapAdd: unknown capability: "CAP_NOSUCH"'),
        (("--network", "container:nosuch"), "No such container: nosuch"),
        (("--pid", "container:nosuch"), "No such container: nosuch"),
        (("--ipc", "container:nosuch"), "No such container: nosuch"),
        (("--name", "{name}", "--network", "container:{name}"), "cannot join own network"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, tuple) else "",
)
def test_options_that_make_no_sense_are_refused(both: Docker, image: str, options: tuple[str, ...], words: str):
    named = (option.format(name=both.name("own")) for option in options)
    command = ("run", "--rm", "--label", f"{LABEL}={both.prefix}", *named, image, "true")
    with pytest.raises(AssertionError) as refused:
        both(*command)
    assert words.rstrip("\n") in str(refused.value)
    if words.endswith("\n"):
        assert words.strip() == str(refused.value).partition("daemon: ")[2].partition(".\nSee")[0].strip()


def test_a_container_to_join_need_not_be_there_yet(both: Docker, image: str):
    name = both.create("joins", image, options=("--network", f"container:{both.name('later')}"))
    later = both.run("later", image, "sleep", "1000", options=LONE)
    both("start", "-a", name)
    assert both.inspect(name)["State"]["ExitCode"] == 0
    both("rm", "-f", name, later)


def test_a_namespace_of_what_does_not_run_is_not_joined(both: Docker, image: str):
    still = both.create("still", image, options=LONE)
    key = both.inspect(still)["Id"]
    for kind in ("pid", "ipc"):
        name = both.create(f"joins-{kind}", image, options=(*LONE, f"--{kind}", f"container:{still}"))
        with pytest.raises(AssertionError) as refused:
            both("start", name)
        assert f"failed to join {kind.upper()} namespace: container {key} is not running" in str(refused.value)
        both("rm", name)
    both("rm", still)


def test_updates_that_contradict_current_settings_are_refused(api: Api, both: Docker, image: str):
    name = both.create("updated", image, options=(*LONE, "--memory", "300m", "--cpus", "0.5"))
    assert both.inspect(name)["HostConfig"]["MemorySwap"] == 600 << 20
    before = f"Cannot update container {both.inspect(name)['Id']}: "
    for body, words in (
        (
            {"Memory": 800 << 20},
            "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
        ),
        ({"CpuQuota": 80000}, "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set"),
        ({"CpuPeriod": 80000}, "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set"),
    ):
        assert api.refusal("POST", f"/containers/{name}/update", json=body) == (409, before + words)
    both("update", "--memory", "800m", "--memory-swap", "1000m", name)
    answer = api.post(f"/containers/{name}/update", json={"RestartPolicy": {"Name": "always"}})
    assert answer.json() == {"Warnings": None}
    host = both.inspect(name)["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["RestartPolicy"]["Name"]) == (800 << 20, 1000 << 20, "always")
    both("rm", name)


@pytest.mark.parametrize("unlimited", [0, -1])
def test_a_limit_of_processes_is_taken_away(api: Api, both: Docker, image: str, unlimited: int):
    """Version 0.1 showed -1, and kept the limit."""
    name = both.run("pids", image, "sleep", "1000", options=(*LONE, "--pids-limit", "50"))
    read = ("exec", name, "sh", "-c", "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null")
    assert both(*read, check=False) == "50"
    api.post(f"/containers/{name}/update", json={"PidsLimit": unlimited}).raise_for_status()
    assert both.inspect(name)["HostConfig"]["PidsLimit"] == 0
    assert both(*read, check=False) == "max"
    both("update", "--memory", "64m", "--memory-swap", "64m", name)
    assert both.inspect(name)["HostConfig"]["PidsLimit"] == 0
    both("rm", "-f", name)
    name = both.create("nopids", image, options=(*LONE, "--pids-limit", str(unlimited)))
    assert both.inspect(name)["HostConfig"]["PidsLimit"] is None
    both("rm", name)


def test_a_probe_that_takes_too_long_shows_what_it_printed(both: Docker, image: str):
    probe = ("--health-cmd", "echo one two; sleep 60", "--health-timeout", "500ms", "--health-interval", "100ms")
    name = both.run("probed", image, "sleep", "1000", options=(*LONE, *probe, "--health-retries", "1"))
    late = time.monotonic() + 120
    expected = "Health check exceeded timeout (500ms): one two\n"
    while expected not in (log := [entry["Output"] for entry in both.inspect(name)["State"]["Health"]["Log"] or []]):
        assert time.monotonic() < late, log
    both("rm", "-f", name)


def test_commands_in_containers_end_with_them(api: Api, both: Docker, sleeping: str):
    def prepared() -> str:
        answer = api.post(f"/containers/{sleeping}/exec", json={"Cmd": ["true"]})
        return str(answer.json()["Id"])

    key = prepared()
    assert api.post(f"/exec/{key}/start", json={"Detach": True}).status_code == 200
    shown = finished_exec(api, key)
    assert (shown["ExitCode"], shown["Pid"] > 1) == (0, True)
    assert both.inspect(sleeping)["ExecIDs"] is None
    assert api.refusal("POST", f"/exec/{key}/start", json={"Detach": True}) == (
        409, f"Error: Exec command {key} has already run",
    )  # fmt: skip
    key = prepared()
    both("pause", sleeping)
    assert api.refusal("POST", f"/exec/{key}/start", json={"Detach": True})[0] == 409
    both("unpause", sleeping)
    both("stop", sleeping)
    for _ in range(2):
        assert api.refusal("POST", f"/exec/{key}/start", json={"Detach": True})[0] == 404
        both("start", sleeping)
    assert api.refusal("POST", "/exec/nosuch/resize", params={"h": "foo", "w": "bar"})[0] in {400, 500}


def finished_exec(api: Api, key: str) -> dict[str, Any]:
    """Wait until a command has ended on its own, and return its attributes."""
    while True:
        shown: dict[str, Any] = api.get(f"/exec/{key}/json").json()
        if not shown["Running"] and shown["ExitCode"] is not None:
            return shown


def test_attaching_to_a_missing_container_fails_in_plain_text(api: Api):
    answer = api.post("/containers/nosuch/attach", params={"stream": "1"})
    assert (answer.status_code, answer.text) == (404, "No such container: nosuch\r\n")
    assert api.refusal("GET", "/containers/nosuch/attach/ws")[0] == 404


def test_a_prune_of_nothing_has_docker_engines_fields(api: Api, both: Docker):
    """Version 0.1 sent empty lists, and refused labels for the build cache: `docker system prune` ended there."""
    filters = {"filters": json.dumps({"label": [f"nosuch={both.prefix}"]})}
    for noun, expected in (
        ("containers", {"ContainersDeleted": None, "SpaceReclaimed": 0}),
        ("images", {"ImagesDeleted": None, "SpaceReclaimed": 0}),
        ("networks", {"NetworksDeleted": None}),
        ("volumes", {"VolumesDeleted": [], "SpaceReclaimed": 0}),
    ):
        assert api.post(f"/{noun}/prune", params=filters).json() == expected
    build = api.post("/build/prune", params=filters).json()  # other builds of the machine may have left something
    assert (set(build), build["CachesDeleted"] == []) == ({"CachesDeleted", "SpaceReclaimed"}, False)
    both("system", "prune", "-f", "--filter", f"label=nosuch={both.prefix}")


def test_disk_use_is_reported_by_type(api: Api):
    assert api.refusal("GET", "/system/df", params={"type": "nosuch"}) == (400, "unknown object type: nosuch")
