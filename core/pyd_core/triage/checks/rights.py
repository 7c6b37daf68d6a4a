"""Check of permissions on a path or socket."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
from pathlib import Path

from pyd_core.client.provider import Provider
from pyd_core.errors import PydError
from pyd_core.model.container import Container
from pyd_core.triage.checks.findings import CheckFindings
from pyd_core.triage.evidence import UnavailableSource
from pyd_core.triage.messages import Message

SOCKET = Path("/var/run/docker.sock")


def check_socket(message: Message, findings: CheckFindings) -> None:
    """Compare the permissions of the engine's socket with the present user."""
    path = Path(message.subject.removeprefix("unix://") or SOCKET)
    try:
        info = path.stat()
    except OSError:
        path = SOCKET
        try:
            info = path.stat()
        except OSError as error:
            findings.add("host", f"{path}: {error.strerror}")
            return
    group = _group(info.st_gid)
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    findings.add("host", f"{path} belongs to group {group}, mode {info.st_mode & 0o777:o}; you are {user}")
    if info.st_gid not in os.getgroups() and os.getuid() != 0:
        findings.advice += [f"sudo usermod -aG {group} {user} # then log in again", f"newgrp {group} # for this shell"]


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


async def check_path(message: Message, engine: Provider | None, name: str, findings: CheckFindings) -> None:
    """Compare the owner of a path with the user a container runs as.

    Args:
        message: A message with the path, as the program sees it.
        engine: The container's engine.
        name: The container; empty if unknown, which means that the path is the host's.
        findings: Receives the findings.
    """
    path = message.subject
    if not path.startswith("/"):
        return
    user = ""
    if name and engine is not None:
        try:
            container = await engine.containers.inspect(name)
        except PydError as error:
            findings.unread.append(
                UnavailableSource(source="engine", reason=error.message, would_tell="the container's user")
            )
            return
        user = container.config.user or "root"
        findings.add("inspect", f"{container.name} runs as user {user}")
        path = _on_host(container, path, findings)
        if not path:
            return
    _compare(path, user, findings)


def _compare(path: str, user: str, findings: CheckFindings) -> None:
    try:
        info = Path(path).stat()
    except OSError as error:
        findings.add("host", f"{path} on this host: {error.strerror}")
        return
    findings.add("host", f"{path} on this host belongs to {info.st_uid}:{info.st_gid}, mode {info.st_mode & 0o777:o}")
    number = user.partition(":")[0]
    if number.isdigit() and int(number) != info.st_uid:
        findings.advice.append(f"chown -R {user} {shlex.quote(path)}")
    findings.advice.append(f"pyd run --user {info.st_uid}:{info.st_gid} …")


def _on_host(container: Container, path: str, findings: CheckFindings) -> str:
    """Return the host's path for a path on a container's mount, or the nearest existing parent."""
    inside = [m for m in container.mounts if path == m.destination or path.startswith(m.destination.rstrip("/") + "/")]
    mount = max(inside, key=lambda m: len(m.destination), default=None)
    if mount is None or not mount.source:
        findings.add("inspect", f"{path} isn't on a mount: it belongs to the image")
        return ""
    findings.add("inspect", f"{path} is on the {mount.type} mounted at {mount.destination}")
    host_path = Path(mount.source)
    parts = [part for part in path[len(mount.destination) :].split("/") if part]
    if ".." in parts:
        return str(host_path)
    for part in parts:
        if (host_path / part).is_symlink() or not (host_path / part).exists():
            break
        host_path /= part
    return str(host_path)
