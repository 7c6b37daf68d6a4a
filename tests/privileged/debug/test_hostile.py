"""Containers that would like the session to trip."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.debugging import Run, main_pid
from support.docker import Docker


def test_a_toolbox_folder_of_the_containers_own_is_not_taken_for_ours(debug: Run, docker: Docker, busybox: str):
    script = "mkdir -p /dev/.pyd/bin; echo '#!/bin/true' > /dev/.pyd/bin/bash; chmod 755 /dev/.pyd/bin/bash; sleep 1000"
    name = docker.run("trap", busybox, "sh", "-c", script)
    done = debug(name, "-c", "echo ours; ls /dev/.pyd/bin/curl; ls -d /dev/null")
    assert (done.stdout.split(), done.stderr) == (["ours", "/dev/.pyd/bin/curl", "/dev/null"], "")
    assert docker("exec", name, "ls", "/dev/.pyd/bin") == "bash"


def test_an_empty_dev_gets_the_usual_nodes_in_the_session_alone(debug: Run, docker: Docker, busybox: str):
    name = docker.run("bare", busybox, "sh", "-c", "mount -t tmpfs none /dev; sleep 1000", options=("--privileged",))
    done = debug(name, "-c", "head -c 3 /dev/zero | wc -c; echo x > /dev/null; head -c 4 /dev/urandom | wc -c")
    assert (done.stdout.split(), done.stderr) == (["3", "4"], "")
    assert list(Path(f"/proc/{main_pid(docker, name)}/root/dev").iterdir()) == []


def test_a_proc_that_is_something_else_is_covered_by_the_true_one(debug: Run, docker: Docker, busybox: str):
    name = docker.run("noproc", busybox, "sh", "-c", "umount -l /proc; sleep 1000", options=("--privileged",))
    done = debug(name, "-c", "ps -e -o pid=,comm= | head -1; ls -d /proc/self/task")
    assert done.stdout.split() == ["1", "sleep", "/proc/self/task"] or done.stdout.split()[:2] == ["1", "sh"]
    assert not Path(f"/proc/{main_pid(docker, name)}/root/proc/self").exists()


@pytest.mark.parametrize("trick", ["-> /", "-> /proc/1/root", "-> ../../../../../..", "-> loop"])
def test_symlinks_in_the_root_are_not_followed_out_of_it(debug: Run, docker: Docker, sleeper: Path, trick: str):
    image = docker.image(f"links{len(trick)}", {"app": sleeper, "loop": trick, "home": trick}, 'CMD ["/app"]')
    name = docker.run(f"links{len(trick)}", image)
    done = debug(name, "-c", "ls -A / | tr '\\n' ' '")
    assert "app" in done.stdout
    assert "var" not in done.stdout.split()


def test_variables_that_would_run_the_containers_code_in_our_programs_are_dropped(
    debug: Run, docker: Docker, busybox: str
):
    names = ("BASH_ENV", "ENV", "LD_PRELOAD", "LD_AUDIT", "PROMPT_COMMAND")
    options = [part for name in names for part in ("-e", f"{name}=/trap")]
    name = docker.run("variables", busybox, "sleep", "1000", options=tuple(options))
    done = debug(name, "-c", f"env | grep -E '^({'|'.join(names)})='; echo end")
    assert (done.stdout, done.stderr) == ("end\n", "")


def test_libraries_of_the_container_are_not_loaded_into_our_programs(debug: Run, docker: Docker, sleeper: Path):
    trap = {"etc/ld.so.preload": "/trap.so\n", "trap.so": "no library", "lib/x86_64-linux-gnu/libc.so.6": "no library"}
    nss = {"etc/nsswitch.conf": "passwd: trap files\n", "etc/passwd": "app:x:1000:1000::/:/app\n"}
    image = docker.image("libraries", {"app": sleeper, **trap, **nss}, 'CMD ["/app"]')
    name = docker.run("libraries", image, options=("-e", "LD_LIBRARY_PATH=/lib/x86_64-linux-gnu"))
    done = debug(name, "-c", "curl --version >/dev/null && stat -c %U /app; id -un 1000")
    assert done.stderr == ""
    assert done.stdout.split()[-1] == "app"


def test_a_container_without_dev_and_proc_can_be_entered(debug: Run, docker: Docker, busybox: str):
    script = "umount -l /dev/pts /dev/shm /dev/mqueue /dev /proc; rm -rf /dev; rmdir /proc; exec sleep 1000"
    name = docker.run("nothing", busybox, "sh", "-c", script, options=("--privileged",))
    done = debug(name, "-c", "ls /; ps -e -o pid= | head -1; echo x > /dev/null")
    assert done.stderr == ""
    assert {"bin", "dev", "proc", "1"} <= set(done.stdout.split())
    root = Path(f"/proc/{main_pid(docker, name)}/root")
    assert not (root / "dev").exists()
    assert not (root / "proc").exists()


def test_a_passwd_that_leads_to_the_hosts_names_no_home_of_the_hosts(
    debug: Run, docker: Docker, distroless: str, tmp_path: Path
):
    (tmp_path / "passwd").write_text("root:x:0:0::/the-hosts-home:/bin/sh\n")
    name = docker.run("leading-out", distroless)
    Path(f"/proc/{main_pid(docker, name)}/root/etc/passwd").symlink_to(tmp_path / "passwd")
    assert debug(name, "-c", "echo $HOME").stdout == "/\n"
