"""Sessions in containers that don't run, in images, and what is left of them: nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from pyd_core.debug.toolbox import store
from support.debugging import Run, command, sessions_left
from support.docker import LONE, Docker, busybox_files, layer


def leftovers(docker: Docker) -> tuple[list[str], list[str]]:
    """Return leftovers on the host: mounts of layers or of the toolbox, and processes that hold a stage."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    left = [line for line in mounts if "lowerdir=0:" in line or store.store_root() in line or " /sys/merged" in line]
    return left, [str(path) for path in Path("/proc").glob("[0-9]*") if holds(path, docker.prefix)]


def holds(process: Path, prefix: str) -> bool:
    """Return whether a process holds the stage of one of this run's containers."""
    try:
        return (process / "cmdline").read_bytes().startswith(b"pyd-holder:" + prefix.encode())
    except OSError:
        return False


def in_state(docker: Docker, short: str, image: str, state: str, options: tuple[str, ...] = ()) -> str:
    """Make a container of an image and bring it into a state."""
    name = docker.create(f"still-{short}", image, options=(*LONE, *options))
    if state != "created":
        docker("start", name)
        docker("kill", name)
        docker("wait", name)
    return name


KINDS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "user": ("--user", "1000:7"),
    "read-only": ("--read-only",),
    "volume": ("--mount", "type=volume,destination=/data"),
    "tmpfs": ("--tmpfs", "/scratch"),
}


@pytest.mark.parametrize(("state", "kind"), [(state, kind) for state in ("exited", "created") for kind in KINDS])
def test_what_does_not_run_is_entered_and_left_as_it_was(
    debug: Run, docker: Docker, distroless: str, state: str, kind: str
):
    name = in_state(docker, f"{state}-{kind}", distroless, state, options=("--hostname", "outpost", *KINDS[kind]))
    before, changed = leftovers(docker), docker("diff", name)
    script = "ls -d /app; hostname; id -u; ip -o link | wc -l; echo x > /new && cat /new; ps -e -o pid= | head -1"
    done = debug(name, "-c", script)
    assert (done.stdout.split(), done.stderr) == (["/app", "outpost", "0", "1", "x", "1"], "")
    assert docker("diff", name) == changed
    assert leftovers(docker) == before
    assert sessions_left() == []
    assert docker.inspect(name)["State"]["Status"] == state


def test_a_file_written_before_the_end_is_there_and_a_deleted_one_is_not(debug: Run, docker: Docker, busybox: str):
    name = docker.run(
        "still-written", busybox, "sh", "-c", "echo kept > /etc/mine; rm /bin/vi; mkdir /d; echo 1 > /d/f"
    )
    docker("wait", name)
    done = debug(name, "-c", "cat /etc/mine /d/f; ls -d /bin/vi /bin/busybox")
    assert done.stdout.split() == ["kept", "1", "/bin/busybox"]
    assert "'/bin/vi': No such file" in done.stderr


def test_environment_folder_and_rights_are_the_containers(debug: Run, docker: Docker, distroless: str):
    options = ("-e", "GREETING=hello", "-w", "/etc", "--user", "1000:7", "--cap-add", "NET_ADMIN")
    name = in_state(docker, "rights", distroless, "exited", options=options)
    done = debug(
        "--as", "target", name, "-c", "echo $GREETING; pwd; id -u; id -g; grep -E 'Cap(Eff|Bnd)' /proc/1/status"
    )
    *words, _, effective, _, bounding = done.stdout.split()
    assert words == ["hello", "/etc", "1000", "7"]
    assert int(effective, 16) == 0
    assert int(bounding, 16) == 0xA80425FB | 1 << 12


def test_what_holds_the_place_of_a_main_process_holds_nothing_of_the_host(
    debug: Run, docker: Docker, distroless: str, tmp_path: Path
):
    """The holder once kept pyd's own descriptors, and the host's /dev/null, which root in the session could change."""
    name = in_state(docker, "holder", distroless, "created")
    with (tmp_path / "mine").open("w") as own:
        done = debug(name, "-c", "ls /proc/1/fd; cat /proc/1/environ; readlink /proc/1/exe", pass_fds=[own.fileno()])
    assert (done.stdout, done.stderr) == ("/dev/.pyd/bin/sleep\n", "")


def test_a_user_is_looked_up_in_the_containers_own_files(debug: Run, docker: Docker, sleeper: Path):
    files: dict[str, bytes | Path | str] = {
        "app": sleeper,
        "etc/passwd": "root:x:0:0::/root:/x\nweb:x:33:44::/srv:/x\n",
        "etc/group": "extra:x:55:a,web\n",
    }
    image = docker.image("passwd", files, 'CMD ["/app"]', "USER web")
    name = in_state(docker, "passwd", image, "created")
    assert debug("--as", "target", name, "-c", "id -u; id -g; id -G; echo $HOME").stdout.split() == [
        *("33", "44"),
        *("44", "55"),
        "/srv",
    ]


def test_an_unknown_user_stops_only_who_wants_to_be_it(debug: Run, docker: Docker, distroless: str):
    name = in_state(docker, "nobody", distroless, "created", options=("--user", "ghost"))
    assert debug(name, "-c", "id -u").stdout == "0\n"
    refused = debug("--as", "target", name, "-c", "id -u")
    assert refused.returncode == 125
    assert "has no user 'ghost'" in refused.stderr
    assert leftovers(docker)[1] == []


def test_volumes_are_read_only_unless_asked(debug: Run, docker: Docker, distroless: str, tmp_path: Path):
    (tmp_path / "given").write_text("in the volume\n")
    (tmp_path / "fixed").mkdir()
    options = ("-v", f"{tmp_path}:/data", "-v", f"{tmp_path}/fixed:/fixed:ro")
    name = in_state(docker, "volumes", distroless, "created", options=options)
    refused = debug(name, "-c", "cat /data/given; echo x > /data/given; echo x > /data/fixed/x")
    assert refused.stdout == "in the volume\n"
    assert refused.stderr.count("Read-only file system") == 2
    done = debug("--volumes", "rw", name, "-c", "echo changed > /data/given; echo x > /fixed/x")
    assert "Read-only file system" in done.stderr
    assert (tmp_path / "given").read_text() == "changed\n"
    assert list((tmp_path / "fixed").iterdir()) == []


def test_a_bind_mount_whose_source_is_gone_is_told_and_left_out(
    debug: Run, docker: Docker, distroless: str, tmp_path: Path
):
    (tmp_path / "was").mkdir()
    name = in_state(docker, "gone", distroless, "exited", options=("-v", f"{tmp_path}/was:/data"))
    (tmp_path / "was").rmdir()
    done = debug(name, "-c", "ls /app")
    assert done.stdout == "/app\n"
    assert "/data: its source" in done.stderr


def test_the_command_and_its_exit_code_pass_as_in_a_running_container(debug: Run, docker: Docker, distroless: str):
    name = in_state(docker, "codes", distroless, "created")
    assert debug(name, "-c", "exit 37").returncode == 37
    assert debug(name, "--", "cat", stdin="one\ntwo").stdout == "one\ntwo"
    missing = debug(name, "--", "no-such-tool")
    assert missing.returncode == 127
    assert "no-such-tool: no such command" in missing.stderr


def test_the_kernels_switches_are_out_of_reach(debug: Run, docker: Docker, distroless: str):
    name = in_state(docker, "switches", distroless, "created", options=("--privileged",))
    done = debug(name, "-c", "for f in /proc/sys/kernel/core_pattern /proc/irq/default_smp_affinity; do : >> $f; done")
    assert done.stderr.count("Read-only file system") == 2
    assert debug(name, "-c", "cat /proc/keys /proc/timer_list | wc -c").stdout == "0\n"


def test_a_device_node_in_an_image_opens_nothing(debug: Run, docker: Docker, sleeper: Path):
    name = in_state(docker, "node", docker.image("node", {"app": sleeper}, 'CMD ["/app"]'), "created")
    upper = Path(docker.inspect(name)["GraphDriver"]["Data"]["UpperDir"])
    os.mknod(upper / "zero", 0o020666, os.makedev(1, 5))
    done = debug(name, "-c", "head -c 1 /zero")
    assert "Permission denied" in done.stderr


def test_a_tall_stack_of_layers_is_mounted(debug: Run, docker: Docker, busybox: str):
    name = in_state(docker, "tall", tall(docker, busybox, 120), "created")
    done = debug(name, "-c", "ls -d /layer* | wc -l; cat /top")
    assert (done.stdout.split(), done.stderr) == (["120", "119"], "")


def tall(docker: Docker, image: str, height: int) -> str:
    """Return an image with many layers more; their paths take more than a page."""
    config = json.loads(docker("image", "inspect", image))[0]["Config"]
    layers = [layer({f"layer{number}": "", "top": str(number)}) for number in range(height)]
    digests = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]
    described = {"architecture": "amd64", "os": "linux", "config": config}
    described["rootfs"] = {"type": "layers", "diff_ids": digests}
    name = f"{docker.name('tall')}:1"
    files: dict[str, bytes | Path | str] = {f"{number}.tar": data for number, data in enumerate(layers)}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": list(files)}]
    files |= {"config.json": json.dumps(described), "manifest.json": json.dumps(manifest)}
    docker("load", stdin=layer(files))
    return name


TRICKS = ["-> /", "-> /etc", "-> ../../../..", "-> /proc/self/root/etc", "-> nowhere", "-> /usr"]


@pytest.mark.parametrize("trick", TRICKS)
def test_links_in_place_of_the_usual_folders_lead_nowhere(debug: Run, docker: Docker, trick: str, tmp_path: Path):
    number = TRICKS.index(trick)
    files: dict[str, bytes | Path | str] = {"proc": trick, "dev": trick, "sys": trick, "data": trick, **busybox_files()}
    image = docker.image(f"trick{number}", files, 'CMD ["/bin/sh"]')
    (tmp_path / "given").write_text("in the volume\n")
    name = in_state(docker, f"trick{number}", image, "created", options=("-v", f"{tmp_path}:/data/below"))
    hosts = {path: sorted(Path(path).iterdir()) for path in ("/", "/etc", "/usr")}
    done = debug(
        name, "-c", "cat /data/below/given; ps -e -o pid= | head -1; echo x > /dev/null; ls /sys/kernel | wc -l"
    )
    assert done.returncode == 0
    assert "1" in done.stdout.split()
    assert {path: sorted(Path(path).iterdir()) for path in ("/", "/etc", "/usr")} == hosts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given"]
    assert docker("diff", name) == ""


def test_an_etc_that_is_a_link_to_a_folder_of_the_host_is_the_containers_own(
    debug: Run, docker: Docker, sleeper: Path, tmp_path: Path
):
    (tmp_path / "passwd").write_text("root:x:0:0::/from-the-host:/bin/sh\n")
    files: dict[str, bytes | Path | str] = {"app": sleeper, "etc": f"-> {tmp_path}"}
    image = docker.image("etc-link", files, 'CMD ["/app"]', "USER ghost", directories=(str(tmp_path).lstrip("/"),))
    name = in_state(docker, "etc-link", image, "exited", options=("--user", "0"))
    assert "localhost" in debug(name, "-c", f"ls {tmp_path}; cat /etc/hosts; : > /etc/made").stdout
    assert debug(f"image:{image}", "-c", f": > /etc/made; ls {tmp_path}").stdout == "made\n"
    assert [path.name for path in tmp_path.iterdir()] == ["passwd"]
    refused = debug("--as", "target", f"image:{image}", "-c", "true")
    assert "has no user 'ghost'" in refused.stderr


def test_a_container_started_meanwhile_runs_on_and_keeps_what_it_writes(debug: Run, docker: Docker, busybox: str):
    name = docker.create("still-meanwhile", busybox, "sh", "-c", "echo own > /etc/own; sleep 1000")
    arguments = command(name, "-c", "echo ready; read line; echo session > /etc/own; ls /etc/own")
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        docker("start", name)
        process.stdin.write("\n")
        process.stdin.close()
        assert process.stdout.read() == "/etc/own\n"
        assert process.wait(30) == 0
    assert docker("exec", name, "cat", "/etc/own") == "own"
    assert docker.inspect(name)["State"]["Running"]


def test_a_killed_client_leaves_nothing(docker: Docker, distroless: str, debug: Run):
    name = in_state(docker, "killed", distroless, "exited")
    before = leftovers(docker)
    for moment in ("early", "late"):
        arguments = command(name, "-c", "setsid -f sleep 1000; echo ready; sleep 1000")
        with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            if moment == "late":
                assert process.stdout.readline() == b"ready\n"
            process.send_signal(signal.SIGKILL)
            process.stdout.read()  # until the last process that holds the session's output has ended
    assert debug(name, "-c", "true").returncode == 0
    assert leftovers(docker) == before
    assert sessions_left() == []
    assert docker("diff", name) == ""


def test_sessions_killed_at_any_moment_leave_nothing(docker: Docker, distroless: str, debug: Run):
    name = in_state(docker, "often", distroless, "exited")
    before = leftovers(docker)
    dice = random.Random(7)
    for _ in range(20):
        with subprocess.Popen(
            command(name, "-c", "setsid -f sleep 1000; sleep 1000"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            # Any moment of a session's life, from the interpreter's start to the running command.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(dice.uniform(0.05, 0.6))
            process.send_signal(signal.SIGKILL)
            process.stdout.read()
    assert debug(name, "-c", "true").returncode == 0
    assert leftovers(docker) == before
    assert sessions_left() == []
    assert docker("diff", name) == ""
