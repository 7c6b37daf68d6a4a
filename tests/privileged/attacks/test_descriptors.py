"""The user's own terminal and files: a session's program passed its descriptors on to the target's main process."""

from __future__ import annotations

import fcntl
import os
import shlex
import struct
from pathlib import Path

import pexpect
import pytest

from support.attacks import STATES, Lab, Marker

IDENTITIES = ("root", "target")


@pytest.fixture(scope="module")
def passing_image(docker_lab: Lab) -> str:
    """An image whose `ls` passes its descriptors to the main process."""
    return docker_lab.build("pass", {"usr/local/bin/ls": docker_lab.programs["pass"]})


@pytest.fixture
def listener(docker_lab: Lab, passing_image: str) -> str:
    """A container whose main process takes descriptors."""
    return docker_lab.start("pass", "/bin/pass", "listen", image=passing_image)


def wait_for_output(lab: Lab, name: str, text: str) -> str:
    """Wait until a container's main process says a text, and return all that it said."""
    with pexpect_of(["docker", "-H", lab.corner.host, "logs", "-f", name]) as logs:
        logs.expect_exact(text)
        logs.close(force=True)
    return lab.corner("logs", name)


class pexpect_of:  # noqa: N801 - used as a function is
    """A program in a terminal of its own, ended at the end of the block."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None) -> None:
        self._child = pexpect.spawn(
            command[0], command[1:], encoding="utf-8", codec_errors="replace", timeout=120, env=env
        )

    def __enter__(self) -> pexpect.spawn:
        return self._child

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)


def users_terminal(shell: pexpect.spawn) -> os.stat_result:
    """Return what the terminal is that a program was started in (ioctl_tty(2), TIOCGPTN)."""
    number = struct.unpack("I", fcntl.ioctl(shell.child_fd, 0x80045430, bytes(4)))[0]
    return Path(f"/dev/pts/{number}").stat()


PIPES = {"output": "{} | cat", "input": "echo | {}", "none": "{}", "both": "{} 2>&1 | cat"}


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("way", PIPES)
def test_what_is_typed_after_a_session_stays_with_the_user(docker_lab: Lab, listener: str, way: str, identity: str):
    """With one end piped the session had the user's terminal: passed on, it was read for good."""
    line = PIPES[way].format(shlex.join(docker_lab.command(listener, "-c", "@target ls /", identity=identity)))
    script = f"stty -echo; {line}; echo after-$?; read word; echo the shell got $word; exit"
    typed = f"typed-{way}-{identity}"
    with pexpect_of(["sh", "-c", script], env=docker_lab.environment()) as shell:
        shell.expect(r"after-\d+")
        users = users_terminal(shell)
        shell.sendline(typed)
        shell.expect_exact(f"the shell got {typed}")
    output = docker_lab.corner("logs", listener)
    assert "PASSED" in output, output
    assert typed not in output
    assert f"device={users.st_dev}:{users.st_rdev}" not in output, "the session has the user's own terminal"


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_file_that_output_is_appended_to_is_not_read(docker_lab: Lab, listener: str, marker: Marker, identity: str):
    """A redirection to a file passed the file: the main process read what was in it before."""
    command = shlex.join(docker_lab.command(listener, "-c", "@target ls /; echo printed", identity=identity))
    with pexpect_of(["sh", "-c", f"{command} >> {marker.path}; echo after-$?"], env=docker_lab.environment()) as shell:
        shell.expect(r"after-\d+")
    assert marker.path.read_text() == f"{marker.text}printed\n"
    assert marker.text.strip() not in docker_lab.corner("logs", listener)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_file_that_input_comes_from_is_not_written(docker_lab: Lab, listener: str, marker: Marker, identity: str):
    """A redirection from a file passed the file: the main process opened it again, for writing."""
    command = shlex.join(docker_lab.command(listener, "-c", "@target ls /; cat", identity=identity))
    line = f"{command} < {marker.path} | cat; echo after-$?"
    with pexpect_of(["sh", "-c", line], env=docker_lab.environment()) as shell:
        shell.expect(r"after-\d+")
        assert marker.text.strip() in shell.before
    assert marker.path.read_text() == marker.text


@pytest.fixture(params=STATES)
def target(request: pytest.FixtureRequest, docker_lab: Lab) -> str:
    state: str = request.param
    return docker_lab.target(state, "stdio", docker_lab.image)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_state_of_a_target_gets_a_descriptor_of_the_users(
    docker_lab: Lab, target: str, tmp_path: Path, identity: str
):
    """Running, stopped or an image: what a session has are pipes and terminals of its own."""
    files = {name: tmp_path / name for name in ("input", "output", "errors")}
    files["input"].write_text("")
    command = shlex.join(docker_lab.command(target, "-c", "exec /bin/facts", identity=identity))
    script = f"{command} < {files['input']} > {files['output']} 2> {files['errors']}; readlink -f /proc/$$/fd/0"
    with pexpect_of(["sh", "-c", script], env=docker_lab.environment()) as shell:
        shell.expect(pexpect.EOF)
    text = files["output"].read_text()
    links = {line.split()[1]: line.split()[2] for line in text.splitlines() if line.startswith("fd ")}
    assert set(links) == {"0", "1", "2"}, text + files["errors"].read_text()
    assert all(link.startswith("pipe:") for link in links.values()), links
    piped = shlex.join(docker_lab.command(target, "-c", "exec /bin/facts", identity=identity))
    with pexpect_of(["sh", "-c", f"{piped} | cat; tty"], env=docker_lab.environment()) as shell:
        shell.expect(pexpect.EOF)
        text = shell.before
    links = {line.split()[1]: line.split()[2] for line in text.splitlines() if line.startswith("fd ")}
    own = text.splitlines()[-1].strip()
    assert own not in links.values(), text
    assert all(link.startswith("pipe:") for link in links.values()), links


def test_in_a_terminal_the_session_has_one_of_its_own(docker_lab: Lab, listener: str):
    """With `-c` too: the terminal that the main process is passed hangs up with the session."""
    with pexpect_of(docker_lab.command(listener, "-c", "@target ls /"), env=docker_lab.environment()) as session:
        session.expect(pexpect.EOF)
    assert "tty=1" in wait_for_output(docker_lab, listener, "HUNG UP")
