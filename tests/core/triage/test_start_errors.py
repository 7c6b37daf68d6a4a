# ruff: noqa: E501 - messages are as they were printed
from __future__ import annotations

import pytest

from pyd_core.triage.start_errors import parse_start_error

RUNC = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)


@pytest.mark.parametrize(
    ("message", "cause", "subject"),
    [
        (RUNC + 'exec: "nope": executable file not found in $PATH: unknown', "command-not-found", "nope"),
        (RUNC + 'exec: "/nope": stat /nope: no such file or directory: unknown', "command-not-found", "/nope"),
        (RUNC + 'exec: "/x": permission denied: unknown', "not-executable", "/x"),
        (RUNC + 'exec: "/adir": is a directory: unknown: permission denied', "not-executable", "/adir"),
        ("crun: executable file `nope` not found in $PATH: No such file or directory", "command-not-found", "nope"),
        ("crun: the path `/x` exists but it is not executable: Operation not permitted", "not-executable", "/x"),
        ("crun: the path `/adir` is not a regular file: Operation not permitted", "not-executable", "/adir"),
        ("crun: mount `/etc/hostname` to `adir`: Not a directory", "mount-type-mismatch", "/etc/hostname"),
        ("crun: openat2 `proc/sysrq-trigger`: Too many open files", "fd-limit", "proc/sysrq-trigger"),
        ("unable to find user nobody2: no matching entries in passwd file", "unknown-user", "nobody2"),
        (
            'error gathering device information while adding custom device "/dev/nope": no such file or directory',
            "device-missing",
            "/dev/nope",
        ),
        (
            'invalid mount config for type "bind": bind source path does not exist: /nope1',
            "mount-source-missing",
            "/nope1",
        ),
        (
            RUNC + 'error during container init: error mounting "/etc/hostname" to rootfs at "/adir": mount '
            "/etc/hostname:/adir (via /proc/self/fd/6), flags: 0x5000: not a directory: unknown: Are you trying to mount a "
            "directory onto a file (or vice-versa)? Check if the specified host path exists",
            "mount-type-mismatch",
            "/etc/hostname",
        ),
        (
            (
                "driver failed programming external connectivity on endpoint web (0a): Bind for 0.0.0.0:80 failed: port is "
                "already allocated"
            ),
            "port-conflict",
            "0.0.0.0:80",
        ),
        (
            (
                "driver failed programming external connectivity on endpoint web (0a): Error starting userland proxy: listen "
                "tcp4 0.0.0.0:80: bind: address already in use"
            ),
            "port-conflict",
            "0.0.0.0:80",
        ),
        ("network 8f1b not found", "network-missing", "8f1b"),
        (
            RUNC + 'chdir to cwd ("/secret") set in config.json failed: permission denied: unknown',
            "bad-workdir",
            "/secret",
        ),
    ],
)
def test_reads_the_engines_messages(message: str, cause: str, subject: str) -> None:
    result = parse_start_error(message)
    assert result is not None
    assert (result.cause, result.subject) == (cause, subject)


def test_a_failure_to_make_the_working_directory_is_about_it() -> None:
    message = RUNC + "error during container init: mkdir /ro/sub: read-only file system: unknown"
    result = parse_start_error(message, workdir="/ro/sub")
    assert result is not None
    assert (result.cause, result.subject) == ("bad-workdir", "/ro/sub")
    other = parse_start_error(message, workdir="/elsewhere")
    assert other is not None
    assert other.cause == "read-only-fs"


@pytest.mark.parametrize("message", ["", "something new went wrong", "OCI runtime create failed"])
def test_what_it_does_not_know_it_does_not_guess(message: str) -> None:
    assert parse_start_error(message) is None
