# ruff: noqa: E501 - messages are as they were printed
from __future__ import annotations

import time

import pytest

from pyd_core.triage.evidence import EvidenceLogLine
from pyd_core.triage.phrases import find_phrases


def find(*lines: str) -> list[tuple[str, str]]:
    return [
        (finding.cause, finding.subject)
        for finding in find_phrases(EvidenceLogLine(stream="stderr", text=t) for t in lines)
    ]


@pytest.mark.parametrize(
    ("line", "cause", "subject"),
    [
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", "address-in-use", ""),
        ("Error: listen EADDRINUSE: address already in use :::3000", "address-in-use", ""),
        ("mkdir: cannot create directory '/var/lib/app': Permission denied", "permission-denied", "/var/lib/app"),
        ("PermissionError: [Errno 13] Permission denied: '/data/x'", "permission-denied", "/data/x"),
        ("open /data/db: permission denied", "permission-denied", "/data/db"),
        ("touch: /x: Read-only file system", "read-only-fs", ""),
        ("OSError: [Errno 28] No space left on device", "no-space", ""),
        ("accept4: too many open files", "fd-limit", ""),
        ("sh: can't fork: Resource temporarily unavailable", "pids-limit", ""),
        ("OpenJDK: unable to create native thread: possibly out of memory", "pids-limit", ""),
        ("RuntimeError: can't start new thread", "pids-limit", ""),
        ("Error: getaddrinfo ENOTFOUND db", "dns-failure", "db"),
        ("dial tcp: lookup db on 127.0.0.11:53: no such host", "dns-failure", "db"),
        ('could not translate host name "db" to address: Name or service not known', "dns-failure", "db"),
        ("java.net.UnknownHostException: kafka", "dns-failure", "kafka"),
        ("curl: (6) Could not resolve host: api", "dns-failure", "api"),
        ("dial tcp 172.18.0.2:5432: connect: connection refused", "connection-refused", ""),
        ("Error: connect ECONNREFUSED 127.0.0.1:6379", "connection-refused", ""),
        ("ERROR 1045 (28000): Access denied for user 'root'@'172.17.0.1'", "authentication-failed", ""),
        ("KeyError: 'DATABASE_URL'", "missing-env", "DATABASE_URL"),
        ("sh: DATABASE_URL: parameter not set", "missing-env", "DATABASE_URL"),
        ("/entry.sh: line 3: TOKEN: unbound variable", "missing-env", "TOKEN"),
        ("Error: POSTGRES_PASSWORD is not set", "missing-env", "POSTGRES_PASSWORD"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/etc/app.yml'", "missing-file", "/etc/app.yml"),
        ("open /run/secrets/db: no such file or directory", "missing-secret", "/run/secrets/db"),
        ("x509: certificate has expired or is not yet valid: current time", "clock-skew", ""),
        ("Exception in thread main java.lang.OutOfMemoryError: Java heap space", "app-heap-exhausted", ""),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "app-heap-exhausted", ""),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "memory-rlimit", ""),
        ("free(): invalid pointer", "abort", ""),
        ("exec /entry.sh: no such file or directory", "exec-enoent", "/entry.sh"),
        (
            "exec container process (missing dynamic library?) `/e.sh`: No such file or directory",
            "exec-enoent",
            "/e.sh",
        ),
        ("exec /app: exec format error", "exec-format", "/app"),
        (
            "app: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory",
            "shared-library-missing",
            "libpq.so.5",
        ),
        (
            "Error loading shared library libstdc++.so.6: No such file or directory (needed by /app)",
            "shared-library-missing",
            "libstdc++.so.6",
        ),
        ("sh: foo: not found", "command-not-found", "foo"),
        ("/entry.sh: line 7: gunicorn: command not found", "command-not-found", "gunicorn"),
        ("env: can't execute 'python3': No such file or directory", "command-not-found", "python3"),
        ("/usr/bin/env: 'node': No such file or directory", "command-not-found", "node"),
        ("chown: /data: Operation not permitted", "operation-not-permitted", ""),
    ],
)
def test_reads_what_common_programs_print(line: str, cause: str, subject: str) -> None:
    result = find(line)
    assert result, line
    assert result[0][0] == cause
    if subject:
        assert result[0][1] == subject


@pytest.mark.parametrize("line", ["", "listening on :8080", "all is well", "200 OK /address", "connected to db"])
def test_ordinary_lines_say_nothing(line: str) -> None:
    assert find(line) == []


def test_the_latest_comes_first_and_each_cause_once() -> None:
    lines = ("connection refused", "Read-only file system", "connection refused to b")
    assert [cause for cause, _ in find(*lines)] == ["connection-refused", "read-only-fs"]


def test_a_hostile_line_costs_no_time() -> None:
    lines = ["/" * 100_000, "environment variable " * 10_000, "A" * 100_000 + "'" * 1000, "lookup " + "a.-" * 50_000]
    begin = time.process_time()
    find(*lines * 5)
    # The bound is the cut at LONGEST_LINE: without it this takes minutes.
    assert time.process_time() - begin < 5
