"""The reach of a session's rights: file handles, devices, keyrings, the toolbox, and the host's own namespaces."""

from __future__ import annotations

import ctypes
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.attacks import EVERY, PYD, SAME_ELSEWHERE, STATES, Lab, Marker
from support.missing import missing

UNCONFINED = ("--security-opt", "seccomp=unconfined")


# --- file handles -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["root", "target", "0"])
@pytest.mark.parametrize("state", STATES)
def test_a_file_of_the_host_is_not_opened_by_its_handle(
    lab: Lab, marker: Marker, state: str, identity: str, tmp_path: Path
):
    """Root in a session held CAP_DAC_READ_SEARCH: through any mount of the host's disk each file of it was opened."""
    if identity == "0" and state != "running":
        pytest.skip("the same as root")
    if lab.engine != "docker" and identity != "root" and not EVERY:
        pytest.skip(SAME_ELSEWHERE)
    kind, digits = marker.handle()
    (tmp_path / "shared").write_text("a file on the same file system\n")
    options = () if state == "image" else ("-v", f"{tmp_path / 'shared'}:/shared")
    target = lab.target(state, "handle", lab.image, options)
    mount = "/dev/.pyd" if state == "image" else "/shared"  # the toolbox lies on a disk of the host, too
    done = lab.debug(target, "--", "/bin/handle", mount, kind, digits, identity=identity)
    marker.assert_unreached(done.stdout)
    assert "open_by_handle_at: Operation not permitted" in done.stdout, done.stdout + done.stderr


def test_a_program_of_the_targets_in_the_place_of_a_tool_opens_nothing(docker_lab: Lab, marker: Marker, tmp_path: Path):
    """A program of the target runs with what root in a session holds."""
    kind, digits = marker.handle()
    (tmp_path / "shared").write_text("")
    script = f"#!/bin/sh\n/bin/handle /shared {kind} {digits}\n"
    image = docker_lab.build("ls", {"usr/local/bin/ls": script})
    name = docker_lab.start("ls", image=image, options=("-v", f"{tmp_path / 'shared'}:/shared"))
    done = docker_lab.debug(name, "-c", "@target ls /")
    assert "open_by_handle_at" in done.stdout
    marker.assert_unreached(done.stdout)


def test_a_privileged_target_gets_no_more_by_a_session(docker_lab: Lab, marker: Marker, tmp_path: Path):
    """A privileged container may open handles itself: its session's root is refused all the same."""
    kind, digits = marker.handle()
    (tmp_path / "shared").write_text("")
    name = docker_lab.start("handle-p", options=("--privileged", "-v", f"{tmp_path / 'shared'}:/shared"))
    done = docker_lab.debug(name, "--", "/bin/handle", "/shared", kind, digits)
    marker.assert_unreached(done.stdout)


# --- devices ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[str, str, Marker]]:
    """A block device of the host: its numbers, and the file that it shows."""
    marker = Marker(tmp_path / "disk")
    marker.text = f"on the disk {uuid.uuid4().hex[:4]}".ljust(4096)
    marker.path.write_text(marker.text)
    attached = subprocess.run(["losetup", "-f", "--show", marker.path], capture_output=True, text=True, check=False)
    if attached.returncode != 0:
        missing("loop devices")
    device = attached.stdout.strip()
    number = Path(device).stat().st_rdev
    try:
        yield str(os.major(number)), str(os.minor(number)), marker
    finally:
        subprocess.run(["losetup", "-d", device], check=True)


def assert_unread(marker: Marker, output: str) -> None:
    """Assert that a device was neither read nor written."""
    assert "READ" not in output, output
    assert "WROTE" not in output, output
    os.sync()
    marker.assert_unreached()


@pytest.mark.parametrize("identity", ["root", "target"])
@pytest.mark.parametrize("state", ["running", "stopped", "image"])
def test_a_disk_of_the_host_is_not_opened_by_a_node(lab: Lab, disk: tuple[str, str, Marker], state: str, identity: str):
    major, minor, marker = disk
    target = lab.target(state, "node", lab.image, ("--cap-add", "MKNOD"))
    if state == "running":  # made by the container, which has the right on every engine that grants it
        lab.corner("exec", target, "/bin/node", "b", major, minor)
    done = lab.debug(target, "--", "/bin/node", "b", major, minor, identity=identity)
    assert_unread(marker, done.stdout)


V2 = ["unshare", "-m", "sh", "-c", 'mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup && exec "$@"', "sh"]
"""Starts a program that sees cgroup version 2, in a mount namespace of its own; for hosts with both versions."""


class DeviceAttribute(ctypes.Structure):
    """Of `union bpf_attr` what BPF_PROG_LOAD reads (bpf(2))."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("instructions", ctypes.c_uint64),
        ("license", ctypes.c_uint64),
        ("rest", ctypes.c_uint8 * 96),
    )


def attach_device_filter(cgroup: Path) -> None:
    """Attach a device filter to a cgroup, as runtimes do on version 2; character devices alone pass."""
    code = b"".join(
        (
            b"\x61\x10\x00\x00\x00\x00\x00\x00",  # r0 = (u32) ctx->access_type
            b"\x57\x00\x00\x00\xff\xff\x00\x00",  # r0 &= 0xffff: the kind of device
            b"\x15\x00\x02\x00\x02\x00\x00\x00",  # if r0 == BPF_DEVCG_DEV_CHAR skip 2
            b"\xb7\x00\x00\x00\x00\x00\x00\x00",  # r0 = 0
            b"\x95\x00\x00\x00\x00\x00\x00\x00",  # exit
            b"\xb7\x00\x00\x00\x01\x00\x00\x00",  # r0 = 1
            b"\x95\x00\x00\x00\x00\x00\x00\x00",  # exit
        )
    )
    libc = ctypes.CDLL(None, use_errno=True)
    system_call = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    program, licence = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"Apache-2.0")
    load = DeviceAttribute(15, len(code) // 8, ctypes.addressof(program), ctypes.addressof(licence))
    loaded = libc.syscall(ctypes.c_long(system_call), 5, ctypes.byref(load), ctypes.sizeof(load))
    assert loaded >= 0, os.strerror(ctypes.get_errno())
    directory = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY)
    attach = (ctypes.c_uint32 * 5)(directory, loaded, 6, 2, 0)  # BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI
    attached = libc.syscall(ctypes.c_long(system_call), 8, attach, ctypes.sizeof(attach))
    assert attached == 0, os.strerror(ctypes.get_errno())
    os.close(directory)
    os.close(loaded)


@pytest.mark.parametrize("identity", ["root", "target"])
def test_the_targets_device_filter_of_cgroup_version_2_holds(
    docker_lab: Lab, disk: tuple[str, str, Marker], identity: str
):
    """The session's own cgroup had no filter: with CAP_MKNOD, or a node of the target's, that was the host's disk."""
    unified = Path("/sys/fs/cgroup/unified")
    if not unified.is_dir():
        pytest.skip("a machine with version 2 alone: the test before this one shows it")
    major, minor, marker = disk
    name = docker_lab.start("node-v2")
    docker_lab.corner("exec", name, "/bin/node", "b", major, minor)
    pid = docker_lab.pid(name)
    cgroup = unified / f"pyd-attack-{uuid.uuid4().hex[:8]}"
    cgroup.mkdir()
    try:
        members = docker_lab.corner("top", name, "-o", "pid").split()[1:]
        for member in {str(pid), *members}:
            (cgroup / "cgroup.procs").write_text(member)
        attach_device_filter(cgroup)
        done = docker_lab.debug(name, "--", "/bin/node", "b", major, minor, identity=identity, before=V2)
        assert_unread(marker, done.stdout)
        assert done.returncode == 0, done.stderr
        null = docker_lab.debug(name, "-c", "echo x > /dev/null && head -c 2 /dev/zero | wc -c", before=V2)
        assert null.stdout.strip() == "2", null.stderr
    finally:
        docker_lab.corner("rm", "-f", name)
        cgroup.rmdir()


def test_the_hosts_device_nodes_keep_their_modes(docker_lab: Lab):
    """A container without /dev/full is shown one in the session: that is no way to the host's own node."""
    name = docker_lab.start("nodes", "sh", "-c", "rm -f /dev/full; umount /dev/full; exec sleep 100000")
    before = Path("/dev/full").stat()
    done = docker_lab.debug(name, "-c", "chmod 600 /dev/full; chown 1000 /dev/full; ls -l /dev/full")
    after = Path("/dev/full").stat()
    try:
        assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid), done.stdout
    finally:
        os.chown("/dev/full", before.st_uid, before.st_gid)
        Path("/dev/full").chmod(before.st_mode & 0o7777)


# --- keyrings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["root", "target", "1000"])
@pytest.mark.parametrize("state", STATES)
def test_the_users_session_keyring_stays_outside(docker_lab: Lab, programs: dict[str, Path], state: str, identity: str):
    """A session began in its caller's session keyring, where Kerberos and others keep their tickets."""
    if state == "image" and identity == "1000":
        pytest.skip("the same as a stopped container")
    target = docker_lab.target(state, "keys", docker_lab.image, UNCONFINED)
    key, value = f"pyd-{uuid.uuid4().hex}", uuid.uuid4().hex
    with_key = [str(programs["keys"]), "add", key, value]
    shown = subprocess.run([*with_key, programs["keys"], "read", key], capture_output=True, text=True, check=False)
    assert value in shown.stdout, "this kernel has no keyrings"
    done = docker_lab.debug(target, "--", "/bin/keys", "read", key, identity=identity, before=with_key)
    assert "keyring" in done.stdout, done.stderr
    assert value not in done.stdout


# --- the toolbox ------------------------------------------------------------------------------------------------------


MOUNTING = (("--cap-add", "SYS_ADMIN"), ("--privileged",), ("--cap-add", "SYS_ADMIN", *UNCONFINED))


@pytest.mark.parametrize("rights", MOUNTING)
@pytest.mark.parametrize("identity", ["root", "target"])
def test_the_toolbox_is_not_made_writable(lab: Lab, toolbox: Path, rights: tuple[str, ...], identity: str):
    """A target with CAP_SYS_ADMIN remounted it writable: what is written there is run by every later session."""
    if lab.engine != "docker" and (identity, rights) != ("target", MOUNTING[0]) and not EVERY:
        pytest.skip(SAME_ELSEWHERE)
    name = lab.start("remount", options=rights)
    mark = f"pyd-attack-{uuid.uuid4().hex}"
    done = lab.debug(name, "--", "/bin/remount", "/dev/.pyd", mark, identity=identity)
    written = list(toolbox.rglob(mark))
    for path in written:
        path.unlink()
    assert written == [], done.stdout
    assert "nothing: Read-only file system" in done.stdout, done.stdout + done.stderr


# --- namespaces of the host's -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["root", "target"])
def test_a_target_in_the_hosts_process_namespace_does_not_trace_the_host(lab: Lab, marker: Marker, identity: str):
    """Root in a session held CAP_SYS_PTRACE over all the host's processes."""
    name = lab.start("pidhost", "sleep", "100000", options=("--pid", "host"))
    with subprocess.Popen(["sleep", "1000"], env={"HOSTS_SECRET": lab.secret}, cwd=marker.path.parent) as process:
        try:
            directory = f"/proc/{process.pid}"
            line = f"cat {directory}/root{marker.path} {directory}/cwd/marker {directory}/environ; cat {directory}/maps"
            done = lab.debug(name, "-c", line, identity=identity)
        finally:
            process.kill()
    marker.assert_unreached(done.stdout)
    assert lab.secret not in done.stdout
    assert "[stack]" not in done.stdout


def as_nobody(*command: str) -> list[str]:
    return ["setpriv", "--reuid", "65534", "--clear-groups", *command]


def test_root_in_the_hosts_process_namespace_does_not_signal_its_processes(docker_lab: Lab):
    """As root of a debugger it held CAP_KILL over processes of other users."""
    name = docker_lab.start("pidhost-kill", "sleep", "100000", options=("--pid", "host"))
    with subprocess.Popen(as_nobody("sleep", "1000")) as process:
        try:
            done = docker_lab.debug(name, "-c", f"until grep -q sleep /proc/{process.pid}/comm; do :; done; "
                                                f"kill -9 {process.pid}; echo $?")  # fmt: skip
            assert process.poll() is None, done.stdout
        finally:
            process.kill()
    assert "not permitted" in done.stderr


@pytest.mark.parametrize("identity", ["root", "target"])
def test_a_target_in_the_hosts_network_does_not_change_it(lab: Lab, identity: str):
    """Root in a session held CAP_NET_ADMIN and CAP_NET_RAW over the host's network. Nothing is changed: the MTU is set
    to what it is."""
    name = lab.start("nethost", "sleep", "100000", options=("--network", "host"))
    line = "mtu=$(cat /sys/class/net/lo/mtu); ip link set lo mtu $mtu; echo $?"
    done = lab.debug(name, "-c", f"PATH=/dev/.pyd/bin:/dev/.pyd/sbin:$PATH; {line}", identity=identity)
    assert done.stdout.strip() not in ("", "0"), done.stdout
    assert "not permitted" in done.stderr
    capture = lab.debug(name, "--", "/dev/.pyd/bin/python3", "-c", RAW_SOCKET, identity=identity)
    if identity == "root":
        assert "refused" in capture.stdout or "not found" in capture.stderr, capture


RAW_SOCKET = """
import socket
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    print("given")
except PermissionError:
    print("refused")
"""


def test_a_target_in_the_hosts_ipc_namespace_does_not_read_strangers_memory(docker_lab: Lab):
    """Root in a session held CAP_IPC_OWNER over the host's shared memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(0, 4096, 0o1000 | 0o600)
    assert segment >= 0
    try:
        owner = ctypes.create_string_buffer(256)
        assert libc.shmctl(segment, 2, owner) == 0  # IPC_STAT
        ctypes.c_uint.from_buffer(owner, 4).value = 65534
        assert libc.shmctl(segment, 1, owner) == 0  # IPC_SET
        name = docker_lab.start("ipchost", options=("--ipc", "host"))
        status = docker_lab.debug(name, "-c", "grep CapEff /proc/self/status").stdout
    finally:
        libc.shmctl(segment, 0, None)  # IPC_RMID
    assert not int(status.split()[1], 16) >> 15 & 1, "CAP_IPC_OWNER over the host's"


def test_what_is_left_out_can_be_asked_for_by_name(docker_lab: Lab):
    """An option gives what a debugger of the host's own processes takes."""
    help_text = subprocess.run([PYD, "debug", "--help"], capture_output=True, text=True, check=False).stdout
    assert "--cap-add" in help_text
    name = docker_lab.start("pidhost-asked", "sleep", "100000", options=("--pid", "host"))
    with subprocess.Popen(as_nobody("sleep", "1000")) as process:
        try:
            line = f"readlink /proc/{process.pid}/exe"
            granted = docker_lab.debug(name, "-c", line, options=("--cap-add", "SYS_PTRACE"))
        finally:
            process.kill()
    assert "sleep" in granted.stdout, granted.stderr
