"""Looking at what an error message names: ports, paths, sockets, disks, containers."""

from __future__ import annotations

import fnmatch
import grp
import os
import pwd
from pathlib import Path

from pyd_core.engine.client import Engine
from pyd_core.errors import PydError
from pyd_core.linux.listeners import find_listener
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.collect.host import file_system
from pyd_core.triage.evidence import Item, Unread
from pyd_core.triage.messages import Message, read_message
from pyd_core.triage.units import size
from pyd_core.triage.verdict import EvidenceLine, Verdict, as_line

SOCKET = Path("/var/run/docker.sock")


class Findings:
    """What the checks found, as they go."""

    def __init__(self) -> None:
        self.evidence: list[Item] = []
        self.advice: list[str] = []
        self.unread: list[Unread] = []

    def saw(self, source: str, text: str) -> None:
        """Adds evidence."""
        self.evidence.append(Item(source=source, text=text))


async def explain_error(text: str, engine: Engine | None, *, directory: Path) -> Verdict:
    """Explains an error message of an engine or its commands, and checks what it names.

    Args:
        text: The message.
        engine: Asked about containers, networks and disk use where that helps; None where none answers.
        directory: Where the failed command ran, for paths of a build.
    """
    message = read_message(text)
    if message is None:
        return Verdict(
            name="", cause="unknown", confidence=0.1, summary="no error that pyd knows", severity="broken",
            advice=("run `pyd triage NAME` on the container it is about",),
        )  # fmt: skip
    found = Findings()
    found.saw("message", message.line)
    match message.cause:
        case "port-conflict" | "address-in-use":
            await _port(message, engine, found)
        case "engine-permission":
            _socket_rights(message, found)
        case "build-context":
            _build_context(message, directory, found)
        case "no-space":
            await _space(engine, found)
        case "permission-denied" | "volume-permission":
            _path_rights(message, found)
        case "dns-failure" | "connection-refused":
            await _reach(message, engine, found)
        case "engine-unreachable":
            found.advice += ["systemctl status docker", "pyd context ls"]
        case "image-not-found" | "pull-auth" | "pull-rate-limited":
            found.advice.append(f"docker login {_registry(message.subject)}".rstrip())
        case "name-conflict":
            found.advice.append(f"pyd rm {message.subject}")
        case "command-not-found":
            found.advice.append("pyd debug NAME # brings a shell and tools of its own")
        case _:
            pass
    evidence: tuple[EvidenceLine, ...] = tuple(as_line(item) for item in found.evidence)
    return Verdict(
        name="",
        cause=message.cause,
        confidence=round(message.confidence, 2),
        summary=message.meaning,
        evidence=evidence,
        advice=(*found.advice, CAUSES[message.cause].remedy),
        unread=tuple(found.unread),
        severity="broken",
    )


def _registry(image: str) -> str:
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""


async def _port(message: Message, engine: Engine | None, found: Findings) -> None:
    text = message.subject.rpartition(":")[2] or message.subject
    digits = "".join(character for character in text.partition("/")[0] if character.isdigit())
    if not digits:
        return
    port = int(digits)
    holder = find_listener(port)
    if holder is not None:
        who = f"{holder.name} (pid {holder.pid})" if holder.pid else "a program of another user"
        found.saw("host", f"port {port} is held by {who}")
        if holder.pid and holder.name != "docker-proxy":
            found.advice.append(f"kill {holder.pid} # or stop its service")
    else:
        found.saw("host", f"nothing on this machine listens on port {port} now")
    if engine is None:
        return
    try:
        containers = await engine.containers.list()
    except PydError as error:
        found.unread.append(Unread(source="engine", reason=error.message, would_tell="which container publishes it"))
        return
    for container in containers:
        if any(entry.public_port == port for entry in container.ports):
            found.saw("engine", f"container {container.name} publishes port {port}")
            found.advice.append(f"pyd stop {container.name}")


def _socket_rights(message: Message, found: Findings) -> None:
    path = Path(message.subject.removeprefix("unix://") or SOCKET)
    try:
        info = path.stat()
    except OSError:
        path = SOCKET
        try:
            info = path.stat()
        except OSError as error:
            found.saw("host", f"{path}: {error.strerror}")
            return
    group = _group(info.st_gid)
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    found.saw("host", f"{path} belongs to group {group}, mode {info.st_mode & 0o777:o}; you are {user}")
    if info.st_gid not in os.getgroups() and os.getuid() != 0:
        found.advice += [f"sudo usermod -aG {group} {user} # then log in again", f"newgrp {group} # for this shell"]


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _build_context(message: Message, directory: Path, found: Findings) -> None:
    name = message.subject.lstrip("/")
    if not name or ".." in name.split("/"):
        return
    path = directory / name
    if path.exists():
        found.saw("host", f"{name} is in {directory}")
    else:
        found.saw("host", f"{name} isn't in {directory}")
        wanted = Path(name).name.lower()
        near = [entry.name for entry in directory.iterdir() if entry.name.lower() == wanted and entry.name != name]
        found.advice += [f"write {entry}: names are case-sensitive" for entry in near[:1]]
        found.advice.append("give the directory that holds it as build context: docker build -f DOCKERFILE DIRECTORY")
    ignored = directory / ".dockerignore"
    try:
        patterns = ignored.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    hits = [pattern for pattern in patterns if _ignores(pattern.strip(), name)]
    if hits:
        found.saw("host", f".dockerignore leaves it out: {hits[-1].strip()}")
        found.advice.insert(0, f"add !{name} to .dockerignore")


def _ignores(pattern: str, name: str) -> bool:
    """Whether a line of .dockerignore covers a path (its directories count; `!` lines and comments don't)."""
    if not pattern or pattern.startswith(("#", "!")):
        return False
    plain = pattern.strip("/").removeprefix("**/")
    parts = name.split("/")
    heads = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    tails = parts if pattern.startswith("**/") else []
    return any(fnmatch.fnmatch(head, plain) for head in (*heads, *tails))


async def _space(engine: Engine | None, found: Findings) -> None:
    root = "/var/lib/docker"
    if engine is not None:
        try:
            root = (await engine.system.info()).docker_root_dir or root
            used = await engine.system.disk_usage()
        except PydError as error:
            found.unread.append(Unread(source="engine", reason=error.message, would_tell="what takes the space"))
        else:
            unused = [image for image in used.images if image.containers == 0]
            stopped = [container for container in used.containers if container.state != "running"]
            volumes = [volume for volume in used.volumes if volume.usage_data and volume.usage_data.ref_count == 0]
            cache = sum(entry.size for entry in used.build_cache if not entry.in_use)
            found.saw("engine", f"images take {size(used.layers_size)}; {len(unused)} are used by no container")
            found.saw("engine", f"{len(stopped)} stopped containers hold {size(sum(c.size_rw or 0 for c in stopped))}")
            held = sum(max(0, volume.usage_data.size) for volume in volumes if volume.usage_data)
            found.saw("engine", f"{len(volumes)} volumes used by no container hold {size(held)}")
            found.saw("engine", f"a prune of the build cache would free {size(cache)}")
    system = file_system("the engine's data", root)
    if system is not None:
        found.saw("host", f"{root}: {size(system.free)} of {size(system.size)} free, {system.inodes_free} inodes free")
    found.advice += ["docker system df", "docker system prune # stopped containers, unused networks, dangling images"]


def _path_rights(message: Message, found: Findings) -> None:
    if not message.subject.startswith("/"):
        return
    try:
        info = Path(message.subject).stat()
    except OSError as error:
        found.saw("host", f"{message.subject} on this host: {error.strerror}")
        return
    found.saw(
        "host", f"{message.subject} on this host belongs to {info.st_uid}:{info.st_gid}, mode {info.st_mode & 0o777:o}"
    )
    found.advice.append(f"docker run --user {info.st_uid}:{info.st_gid} …")


async def _reach(message: Message, engine: Engine | None, found: Findings) -> None:
    if engine is None or not message.subject:
        return
    name = message.subject.partition(":")[0]
    try:
        containers = await engine.containers.list(all=True)
    except PydError as error:
        found.unread.append(Unread(source="engine", reason=error.message, would_tell="whether that is a container"))
        return
    for container in containers:
        networks = container.network_settings.networks
        names = {container.name, container.service, *(a for end in networks.values() for a in end.aliases or ())}
        if name not in names:
            continue
        found.saw(
            "engine", f"container {container.name} ({container.state}) is on {', '.join(networks) or 'no network'}"
        )
        if set(networks) <= {"bridge"}:
            found.saw("engine", "the default bridge resolves no container names")
            found.advice += ["docker network create shared", f"docker network connect shared {container.name}"]
        exposed = sorted({f"{port.private_port}/{port.type}" for port in container.ports})
        found.saw("engine", f"it exposes {', '.join(exposed) or 'no port'}")
        return
    found.saw("engine", f"no container is called {name}")
