"""Containers whose root has no rights on the host: `userns-remap`."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.debugging import command, ready_toolbox
from support.docker import LONE, QUICK, Docker
from support.remapped import WEB, Remapped, archived, owned_image, owner, pid, ran


@pytest.fixture(scope="module")
def engine() -> Iterator[Remapped]:
    with Remapped.started() as remapped:
        yield remapped


@pytest.fixture(scope="module")
def docker(engine: Remapped) -> Iterator[Docker]:
    with Docker(host=engine.pydd.host) as corner:
        yield corner


@pytest.fixture(scope="module")
def image(docker: Docker) -> str:
    return owned_image(docker)


def test_root_in_a_container_has_no_rights_on_the_host(engine: Remapped, docker: Docker, image: str):
    name = docker.run("who", image, "sleep", "1000", options=LONE)
    uid, gid = engine.owner
    assert uid != gid
    main = Path(f"/proc/{pid(docker, name)}")
    assert (main.stat().st_uid, main.stat().st_gid) == (uid, gid)
    assert (main / "uid_map").read_text().split() == ["0", str(uid), "65536"]
    assert (main / "gid_map").read_text().split() == ["0", str(gid), "65536"]
    assert docker("exec", name, "id", "-u") == "0"
    assert owner(docker, name, "/data/seed") == WEB
    docker("rm", "-f", name)


def test_the_engine_says_that_it_remaps(docker: Docker):
    assert "name=userns" in json.loads(docker("info", "-f", "{{json .SecurityOptions}}"))


def test_the_hosts_namespace_gives_real_root(docker: Docker, image: str):
    name = docker.run("real", image, "sleep", "1000", options=(*LONE, "--userns", "host"))
    main = Path(f"/proc/{pid(docker, name)}")
    assert main.stat().st_uid == 0
    assert (main / "uid_map").read_text().split() == ["0", "0", "4294967295"]
    assert ran(docker, image, "id -u", "--userns", "host", "--privileged", *LONE) == "0"
    docker("rm", "-f", name)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--privileged",), "privileged mode is incompatible with user namespaces"),
        (("--network", "host"), "cannot share the host's network namespace when user namespaces are enabled"),
        (("--pid", "host"), "cannot share the host PID namespace when user namespaces are enabled"),
    ],
)
def test_namespaces_of_the_host_are_refused(docker: Docker, image: str, option: tuple[str, ...], words: str):
    line = ["docker", "-H", docker.host, "create", *option, image, "true"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr


def test_networks_work_and_belong_to_the_container(docker: Docker, image: str):
    network = docker.name("network")
    docker("network", "create", "--label", f"pyd.test={docker.prefix}", network)
    serve = "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp"
    options = ("--network", network, "-p", "127.0.0.1::80", "--user", "web", *QUICK)
    name = docker.run("web", image, "sh", "-c", serve, options=options)
    fetch = f"for i in $(seq 300); do wget -qO- http://{name}/ && break; usleep 100000; done"
    assert ran(docker, image, fetch, "--network", network) == "hello"
    address = docker("port", name, "80/tcp")
    with urllib.request.urlopen(f"http://{address}/", timeout=120) as answer:
        assert answer.read() == b"hello\n"
    alone = "ip addr add 192.0.2.1/32 dev eth0 && ip addr show eth0; ls /sys/class/net"
    output = ran(docker, image, alone, "--network", network, "--cap-add", "NET_ADMIN")
    assert "192.0.2.1/32" in output
    assert output.splitlines()[-2:] == ["eth0", "lo"]
    docker("rm", "-f", name)
    docker("network", "rm", network)


def test_containers_share_namespaces_only_of_the_same_ids(docker: Docker, image: str):
    options = (*QUICK, "--ipc", "shareable")
    name = docker.run("owner", image, "sh", "-c", "echo x > /dev/shm/x; exec sleep 1234", options=options)
    other = docker.run("other", image, "sleep", "1000", options=options)
    real = docker.run("real", image, "sleep", "1000", options=(*QUICK, "--userns", "host"))
    of = f"container:{name}"
    script = "ip addr show eth0 | grep -c inet.*global; stat -c %u /dev/shm /dev/shm/x; ps | grep -c '[s]leep 1234'"
    assert ran(docker, image, script, "--network", of, "--ipc", of, "--pid", of).split() == ["1", "0", "0", "1"]
    line = ["docker", "-H", docker.host, "run", "--rm", "--network", of]
    for more, words in (
        (["--ipc", f"container:{other}"], "namespaces of two containers"),
        (["--pid", f"container:{real}"], "other user ids"),
    ):
        done = subprocess.run([*line, *more, image, "true"], capture_output=True, text=True, check=False)
        assert done.returncode == 125
        assert words in done.stderr
    docker("rm", "-f", name, other, real)


def test_streams_can_be_opened_by_name(docker: Docker, image: str):
    script = "echo out > /dev/stdout; echo err > /dev/stderr"
    line = ["docker", "-H", docker.host]
    for user in ("root", "web"):
        run = [*line, "run", "--rm", "--user", user, *LONE, image, "sh", "-c", script]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("out\n", "err\n")
    name = docker.run("streams", image, "sleep", "1000", options=LONE)
    for user in ("root", "web"):
        run = [*line, "exec", "--user", user, name, "sh", "-c", script]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("out\n", "err\n")
    script = f"docker -H {docker.host} exec -it {name} sh -c 'tty; stat -c %u $(tty); echo x > $(tty)'"
    done = subprocess.run(["script", "-qec", script, "/dev/null"], capture_output=True, text=True, check=True)
    assert done.stdout.replace("^@", "").split() == ["/dev/pts/0", "0", "x"]
    docker("rm", "-f", name)


def test_health_is_checked_in_the_container(docker: Docker, image: str):
    probe = ("--health-cmd", "test $(id -u) = 0 && test -O /", "--health-interval", "100ms")
    name = docker.run("health", image, "sleep", "1000", options=(*LONE, *probe))
    events = ["docker", "-H", docker.host, "events", "--since", "0", "-f", f"container={name}"]
    with subprocess.Popen([*events, "-f", "event=health_status"], stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert "healthy" in watching.stdout.readline()
        watching.kill()
    assert docker.inspect(name)["State"]["Health"]["Status"] == "healthy"
    docker("rm", "-f", name)


def test_builds_run_with_these_ids_and_leave_files_as_they_should_be(docker: Docker, image: str, tmp_path: Path):
    (tmp_path / "file").write_text("of the context")
    (tmp_path / "Dockerfile").write_text(
        f"FROM {image}\nLABEL pyd.test={docker.prefix}\nCOPY --chown=web:1000 file /file\n"
        "RUN cat /proc/self/uid_map > /map && mkdir /d && chown 9:9 /d && rm -r /data\nUSER web\nRUN touch /tmp/x\n"
    )
    image_name = f"{docker.name('built')}:1"
    line = ["docker", "-H", docker.host, "build", "-t", image_name, str(tmp_path)]
    subprocess.run(line, capture_output=True, check=True, env={**os.environ, "DOCKER_BUILDKIT": "0"})
    script = "cat /map; stat -c %u:%g /file /map /d /tmp/x; ls -d /data"
    lines = docker("run", "--rm", *LONE, image_name, "sh", "-c", f"{script} 2>&-; true").splitlines()
    assert lines[0].split()[1] != "0"
    assert lines[1:] == ["1000:1000", "0:0", "9:9", "1000:1000"]


def test_debug_and_triage_see_the_containers_own_ids(docker: Docker, image: str):
    ready_toolbox()
    name = docker.run("debug", image, "sleep", "1000", options=LONE)
    docker("exec", name, "touch", "/mine")

    def debug(script: str) -> list[str]:
        line = command(name, "-c", script, host=docker.host)
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    script = "id -u; stat -c %u:%g /mine /data; touch /tmp/new; stat -c %u /tmp/new"
    assert debug(script) == ["0", "0:0", "1000:1000", "0"]
    docker("stop", name)
    assert debug("id -u; stat -c %u:%g /mine /data") == ["0", "0:0", "1000:1000"]
    triage = [*command(host=docker.host)[:-1], "triage", "--json", name]
    verdict = json.loads(subprocess.run(triage, capture_output=True, text=True, check=False).stdout)
    assert verdict["cause"] == "stopped", verdict
    docker("rm", "-f", name)


def test_a_killed_engine_finds_them_again_and_other_settings_leave_them_be(
    engine: Remapped, docker: Docker, image: str
):
    name = docker.run("lives", image, "sleep", "1000", options=(*QUICK, "-v", "/data"))
    main, (uid, _) = pid(docker, name), engine.owner
    try:
        for remap in ("default", ""):
            engine.pydd.kill()
            engine.start(remap)
            assert pid(docker, name) == main
            assert docker("exec", name, "sh", "-c", "id -u > /me; cat /me") == "0"
            assert archived(docker, "cp", f"{name}:/me", "-") == {"me": (0, 0)}
        assert ran(docker, image, "cat /proc/self/uid_map", *LONE).split()[1] == "0"
        docker("restart", name)
        assert Path(f"/proc/{pid(docker, name)}").stat().st_uid == 0
        assert (owner(docker, name, "/me"), owner(docker, name, "/data/seed")) == ((0, 0), WEB)
    finally:
        engine.pydd.stop()
        engine.start("default")
    docker("restart", name)
    assert Path(f"/proc/{pid(docker, name)}").stat().st_uid == uid
    assert (owner(docker, name, "/me"), owner(docker, name, "/data/seed")) == ((0, 0), WEB)
    docker("rm", "-f", "-v", name)


def test_nothing_is_left_of_removed_containers(engine: Remapped, docker: Docker, image: str):
    config = engine.pydd.config
    kept = (config.root / "containers", config.root / "volumes", config.run / "c", config.run / "netns")

    def there() -> list[object]:
        return [*engine.mounts(), *(path.name for directory in kept for path in directory.iterdir())]

    before = there()
    for options in ((), ("--network", "none", "-v", "/data"), ("--ipc", "shareable")):
        ran(docker, image, "rm -rf /data/* /etc; mkdir /etc; touch /etc/x", *options)
    assert there() == before


def test_settings_that_make_no_sense_are_refused_in_two_lines(engine: Remapped, docker: Docker):
    subuid = engine.etc.path / "subuid"
    engine.pydd.stop()
    was = subuid.read_text()
    try:
        for text, remap, words in (
            ("", "nosuch-user", "there is no user 'nosuch-user'"),
            ("", "root:nosuch-group", "there is no group 'nosuch-group'"),
            ("", "root", "subuid has no ids for root"),
            ("root:100000:1000", "root", "has fewer than 65536 ids for root"),
            ("root:0:65536", "root", "root's id"),
            ("root:many:1", "root", "not a range of ids: 'root:many:1'"),
            (was, "a:b:c", "not a user"),
        ):
            subuid.write_text(text)
            lines = engine.refused(remap).splitlines()
            assert words in lines[0]
            assert len(lines) == 2, lines
        subuid.write_text(was)
        engine.pydd.home.chmod(0o700)
        lines = engine.refused("dockremap").splitlines()
        assert lines[1].strip() == f"chmod o+x {engine.pydd.home}"
    finally:
        engine.pydd.home.chmod(0o711)
        subuid.write_text(was)
        engine.start("default")


def test_a_file_system_without_such_mounts_is_refused(engine: Remapped, tmp_path: Path):
    directories = [engine.pydd.home / f"over-{name}" for name in ("lower", "upper", "work")]
    for directory in directories:
        directory.mkdir()
    options = ",".join(f"{directory.name.removeprefix('over-')}dir={directory}" for directory in directories)
    root = engine.pydd.config.root
    engine.pydd.stop()
    subprocess.run([*engine.etc.before, "mount", "-t", "overlay", "-o", options, "overlay", str(root)], check=True)
    try:
        lines = engine.refused("default").splitlines()
        assert "files can't be mounted with other ids" in lines[0]
        assert "Linux 5.19" in lines[1]
        assert len(lines) == 2
    finally:
        subprocess.run([*engine.etc.before, "umount", str(root)], check=True)
        engine.start("default")
