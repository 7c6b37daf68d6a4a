"""All checks, in the order in which a session would meet what they look for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pyd_core.client.api_client import ApiClient
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.system import SystemApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.client.transport.choice import blocking_transport
from pyd_core.debug.doctor import kernel
from pyd_core.debug.doctor.check import BLOCKER, OK, UNKNOWN, WARNING, Check
from pyd_core.debug.network_member import find_network
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.resolve import resolve
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.target import LocalTarget, NetworkTarget, RemoteTarget
from pyd_core.debug.toolbox import store
from pyd_core.debug.toolbox.selection import load_selection
from pyd_core.errors import NoEngine, PydError
from pyd_core.linux.process import parse_status
from pyd_core.sanitise import safe

ROOT = Path("/")


def examine(endpoint: Endpoint | NoEngine, target: str = "", *, root: Path = ROOT) -> Iterator[Check]:
    """Yield the result of each check.

    Args:
        endpoint: The engine, or why there is none.
        target: The container that is to be entered; empty checks only this machine and its engine.
        root: The directory with `/proc` and `/sys`.
    """
    own = parse_status((root / "proc/self/status").read_text())
    yield kernel.check_ptrace(root, own)
    yield kernel.check_seccomp(own)
    yield kernel.check_apparmor(root)
    yield kernel.check_selinux(root)
    yield kernel.check_capabilities(own)
    yield kernel.check_namespaces(root)
    yield kernel.check_mounts()
    yield kernel.check_btf(root)
    yield kernel.check_cgroups(root)
    if isinstance(endpoint, NoEngine):
        yield Check(name="engine", state=BLOCKER, finding=endpoint.message, remedy=endpoint.hint)
    else:
        yield from _engine(endpoint, target)
    yield _toolbox()


def _engine(endpoint: Endpoint, target: str) -> Iterator[Check]:
    transport = blocking_transport(endpoint)
    session = ApiClient(transport, where=endpoint.url)
    try:
        info = run_now(SystemApi(session).info())
        shown = safe(f"{info.operating_system}, {info.architecture}, version {info.server_version}")
        yield Check(name="engine", state=OK, finding=f"{endpoint.url}: {shown}")
        if target:
            yield _target(session, endpoint, target)
    except PydError as error:
        yield Check(name="engine", state=BLOCKER, finding=error.message, remedy=error.hint)
    finally:
        run_now(transport.aclose())


def _target(engine: ApiClient, endpoint: Endpoint, name: str) -> Check:
    try:
        target = resolve(engine, SessionRequest(endpoint, DebugOptions(target=name)))
        if isinstance(target, NetworkTarget):
            network = run_now(find_network(engine, target.name))
            return Check(name="target", state=OK, finding=f"network {safe(network.name)} can be entered")
    except PydError as error:
        return Check(name="target", state=BLOCKER, finding=error.message, remedy=error.hint)
    container = target.container
    shown = safe(container.name)
    if not isinstance(target, LocalTarget) and not container.state.pid:
        return Check(name="target", state=OK, finding=f"{shown} doesn't run; its files can be entered")
    helper = f" by a helper container: {target.reason}" if isinstance(target, RemoteTarget) else ""
    return Check(name="target", state=OK, finding=f"{shown} can be entered{helper}")


def _toolbox() -> Check:
    try:
        pack = load_selection().pack()
    except PydError as error:
        return Check(name="toolbox", state=BLOCKER, finding=error.message, remedy=error.hint)
    there = store.find_anywhere(pack)
    if there is not None:
        return Check(name="toolbox", state=OK, finding=f"{pack.name} in {there}")
    root = store.store_root()
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        remedy = "on a Debian machine: pyd toolbox export FILE; then here: pyd toolbox import FILE"
        return Check(
            name="toolbox", state=BLOCKER, finding=f"none in {root}, and no apt to make one from", remedy=remedy
        )
    existing = Path(root)
    while not existing.exists():
        existing = existing.parent
    if not os.access(existing, os.W_OK):
        return Check(name="toolbox", state=BLOCKER, finding=f"none yet, and {root} can't be written", remedy="use sudo")
    free = shutil.disk_usage(existing).free
    if free < store.MIN_FREE_BYTES:
        finding = f"none yet, and {free >> 20} MB free in {existing}; {store.MIN_FREE_BYTES >> 20} MB are needed"
        return Check(name="toolbox", state=BLOCKER, finding=finding, remedy="make room, or set PYD_TOOLBOX")
    return Check(name="toolbox", state=OK, finding="none yet; the first session builds one from apt")


def first_blocker(checks: list[Check]) -> Check | None:
    """Return the first blocker; warnings don't stop sessions."""
    return next((check for check in checks if check.state == BLOCKER), None)


__all__ = ["BLOCKER", "OK", "UNKNOWN", "WARNING", "Check", "examine", "first_blocker"]
