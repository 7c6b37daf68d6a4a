"""The machine that an engine's containers run on: the tools that enter them must be for it, whatever pyd runs on."""

from __future__ import annotations

import os

from pyd_core.errors import Unsupported
from pyd_core.model.system import Info
from pyd_core.sanitise import safe

DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
"""Machines that there are toolboxes for, as `uname -m` names them, and Debian's names for them, which are Go's too."""


def own_machine() -> str:
    """Return this machine's name (`uname -m`)."""
    return os.uname().machine


def engine_machine(where: str, info: Info) -> str:
    """Return the name of the machine that an engine runs containers on.

    An image for another machine runs there, if at all, through an emulator that the engine's kernel knows
    (binfmt_misc); tools of the engine's own machine enter it all the same.

    Args:
        where: The engine's address.
        info: The engine's system info; Podman has Go's names for machines, Docker Engine the kernel's.

    Raises:
        Unsupported: Its containers are Windows', or there is no toolbox for its machine.
    """
    if info.os_type not in ("", "linux"):
        raise Unsupported(f"{where} runs {safe(info.os_type)} containers", hint="use pyd exec")
    known = {name: machine for machine, debian in DEBIAN.items() for name in (machine, debian)}
    architecture = info.architecture or own_machine()
    machine = known.get(architecture, architecture)
    if machine not in DEBIAN and machine != own_machine():
        raise Unsupported(
            f"{where} is {safe(machine)}; toolboxes are made for {' and '.join(DEBIAN)}",
            hint=f"run pyd debug on the {safe(machine)} machine itself",
            reference="other-architecture",
        )
    return machine
