"""An image that holds every staged death, and a way to ask for verdicts."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyd_core.engine.choice import choose_endpoint
from pyd_core.engine.transport.blocking import blocking_engine, run_now
from pyd_core.triage.ask import explain
from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.staging import loader_files, make_programs


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="session")
def stage_image(docker: Docker, programs: dict[str, Path]) -> str:
    source = Path("/bin/busybox")
    applets = subprocess.run([source, "--list"], capture_output=True, text=True, check=True).stdout.split()
    files: dict[str, bytes | Path | str] = {f"bin/{applet}": "-> busybox" for applet in applets if applet != "busybox"}
    files |= {"bin/busybox": source, "etc/passwd": b"root:x:0:0::/:/bin/sh\n"}
    files |= {name: path for name, path in programs.items() if name != "dynamic"}
    files |= {
        "crlf.sh": b"#!/bin/sh\r\necho hi\r\n",
        "perl.sh": b"#!/usr/bin/perl\nprint 1\n",
        "env.py": b"#!/bin/env python3\nprint(1)\n",
        "nothing.txt": b"echo hi\n",
        "plain.txt": b"hi\n",
        "root-only": b"secret\n",
        "foreign": _foreign_elf(),
        "nocc": programs["dynamic"],
    }
    return docker.image(
        "stage",
        files,
        'CMD ["/bin/sh"]',
        directories=("tmp", "data", "adir", "closed"),
        modes={"plain.txt": 0o644, "root-only": 0o600, "closed": 0o700},
    )


@pytest.fixture(scope="session")
def dynamic_image(docker: Docker, programs: dict[str, Path]) -> str:
    return docker.image("dynamic", loader_files(programs["dynamic"]), 'CMD ["/dynamic"]')


@pytest.fixture(scope="session")
def judge() -> Iterator[Callable[[str], Verdict]]:
    engine = blocking_engine(choose_endpoint(host="unix:///var/run/docker.sock"))
    yield lambda name: run_now(explain(engine, name))
    run_now(engine.aclose())


def _foreign_elf() -> bytes:
    """The header of a program for a processor this machine hasn't."""
    import os

    machine = 62 if os.uname().machine != "x86_64" else 183
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x400000, 0, 0, 0, 64, 56, 0, 0, 0, 0) + bytes(64)
