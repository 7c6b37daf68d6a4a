"""The view and rights of a session in a container that has nothing and allows nothing."""

from __future__ import annotations

from pathlib import Path

from support.debugging import Run, main_pid, sessions_left
from support.docker import Docker


def test_tools_run_among_the_containers_processes_files_and_network(debug: Run, locked: str):
    done = debug(locked, "-c", "ps -e -o pid=,comm=; ls /; id -u; curl --version; ip -o link")
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert done.returncode == 0
    assert lines[0].split() == ["1", "app"]
    assert {"app", "dev", "etc", "proc", "sys", "0"} <= set(lines)
    assert any(line.startswith("curl ") for line in lines)
    assert any("eth0" in line for line in lines)


def test_tcpdump_runs_where_it_has_no_user_of_its_own(debug: Run, locked: str):
    line = r"printf '\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0' | tcpdump -r - && echo read"
    assert debug(locked, "-c", line).stdout == "read\n"
    assert debug(locked, "-c", line.replace("tcpdump", "@tcpdump")).stdout == "read\n"


def test_the_root_listed_is_exactly_the_containers_own(debug: Run, docker: Docker, locked: str):
    own = sorted(entry.name for entry in Path(f"/proc/{main_pid(docker, locked)}/root").iterdir())
    assert sorted(debug(locked, "-c", "ls -A /").stdout.split()) == own


def test_as_target_has_its_user_and_no_capability(debug: Run, locked: str):
    done = debug("--as", "target", locked, "-c", "id -u; grep Cap /proc/self/status")
    first, *masks = done.stdout.splitlines()
    assert first == "1000"
    assert len(masks) == 5
    assert all(int(line.split()[1], 16) == 0 for line in masks)


def test_as_target_is_what_the_main_process_is(debug: Run, docker: Docker, distroless: str):
    options = ("--user", "0:7", "--group-add", "44", "--cap-drop", "NET_RAW", "--security-opt", "no-new-privileges")
    name = docker.run("rights", distroless, options=options)
    keys = ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs")

    def parse(text: str) -> dict[str, list[str]]:
        fields = (line.partition(":") for line in text.splitlines())
        return {key: value.split() for key, _, value in fields if key in keys}

    target = parse(Path(f"/proc/{main_pid(docker, name)}/status").read_text())
    assert parse(debug("--as", "target", name, "-c", "cat /proc/self/status").stdout) == target


def test_as_a_number_is_that_user_and_group_without_capabilities(debug: Run, locked: str):
    done = debug("--as", "12:34", locked, "-c", "id -u; id -g; id -G; grep CapEff /proc/self/status")
    assert done.stdout.split() == ["12", "34", "34", "CapEff:", "0000000000000000"]


def test_root_holds_nothing_that_reaches_beyond_the_container(debug: Run, locked: str):
    done = debug(locked, "-c", "mount -t tmpfs none /etc; mknod /dev/disk b 254 0; cat /proc/self/status | grep CapEff")
    assert "Operation not permitted" in done.stderr or "permission denied" in done.stderr
    effective = int(done.stdout.split()[1], 16)
    for forbidden in (16, 17, 21, 22, 25, 27, 39):  # sys_module, rawio, admin, boot, time, mknod, bpf
        assert not effective >> forbidden & 1


def test_a_read_only_root_stays_so_unless_asked(debug: Run, docker: Docker, locked: str):
    refused = debug(locked, "-c", "echo x > /etc/written")
    assert refused.returncode != 0
    assert "Read-only file system" in refused.stderr
    assert debug("--rw", locked, "-c", "echo one > /etc/written; echo two > /at-the-top").returncode == 0
    root = Path(f"/proc/{main_pid(docker, locked)}/root")
    assert (root / "etc/written").read_text() == "one\n"
    assert (root / "at-the-top").read_text() == "two\n"
    assert debug("--rw", locked, "-c", "rm /etc/written /at-the-top").returncode == 0
    assert debug(locked, "-c", "echo x > /etc/written").returncode != 0


def test_the_container_is_as_it_was(debug: Run, docker: Docker, distroless: str):
    name = docker.run("untouched", distroless, options=("--read-only", "--user", "1000"))
    mounts = Path(f"/proc/{main_pid(docker, name)}/mountinfo")
    before, changed = mounts.read_text(), docker("diff", name)
    root = Path(f"/proc/{main_pid(docker, name)}/root")
    seen = sorted(str(path) for path in (root / "dev").rglob("*"))
    assert debug(name, "-c", "ls -d /dev/.pyd/bin >/dev/null && : > /dev/mine && ls /dev/mine").stdout == "/dev/mine\n"
    assert mounts.read_text() == before
    assert docker("diff", name) == changed == ""
    assert sorted(str(path) for path in (root / "dev").rglob("*")) == seen
    assert sessions_left() == []


def test_the_toolbox_cannot_be_written(debug: Run, locked: str):
    done = debug("--rw", locked, "-c", "echo x > /dev/.pyd/bin/bash")
    assert "Read-only file system" in done.stderr


def test_a_greedy_shell_leaves_a_small_container_running(debug: Run, docker: Docker, distroless: str):
    name = docker.run("small", distroless, options=("--memory", "20m"))
    done = debug(name, "-c", "head -c 1073741824 /dev/zero | tail -c 1073741824 | wc -c")
    assert done.stdout.strip() == "1073741824"
    state = docker.inspect(name)["State"]
    assert state["Running"]
    assert not state["OOMKilled"]


def test_the_session_has_cgroups_of_its_own_and_the_containers_devices(debug: Run, docker: Docker, locked: str):
    own = Path(f"/proc/{main_pid(docker, locked)}/cgroup").read_text()
    session = debug(locked, "-c", "cat /proc/self/cgroup").stdout
    for line in session.splitlines():
        number, controllers, path = line.split(":", 2)
        if controllers in {"memory", "pids", "devices"} or (number == "0" and "memory" not in session):
            assert "pyd-" in path
            assert line not in own


def test_the_environment_is_the_containers_with_our_tools_around_its_own(debug: Run, docker: Docker, distroless: str):
    env = ("-e", "PATH=/app-bin", "-e", 'GREETING=it\'s "so" $HOME', "-e", "LD_LIBRARY_PATH=/nowhere")
    name = docker.run("env", distroless, options=(*env, "-w", "/etc"))
    done = debug(name, "-c", 'echo "$PATH"; echo "$GREETING"; echo "$LD_LIBRARY_PATH"; pwd')
    path, greeting, libraries, directory = done.stdout.splitlines()
    assert path.startswith("/dev/.pyd/first:/app-bin:/dev/.pyd/bin:")
    assert greeting == 'it\'s "so" $HOME'
    assert libraries == "/nowhere"
    assert directory == "/etc"
