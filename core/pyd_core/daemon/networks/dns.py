"""Names: each container's hosts file, and a name server for user-defined networks.

The server is aardvark-dns, one process for all networks. It reads a file a network: the first line has the addresses to
listen on, each further one a container's id, addresses, names and own servers; SIGHUP makes it read again, and it ends
when no file is left.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.runtime import subprocesses
from pyd_core.errors import Unsupported

_HOST_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}")
SEARCH = "/usr/lib/podman:/usr/libexec/podman:/usr/bin"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A container's names on a network."""

    key: str
    four: str
    six: str
    names: tuple[str, ...]
    servers: tuple[str, ...] = ()
    """Whom to ask for names of the world in place of the host's servers (`--dns`)."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A network's names."""

    name: str
    """Of its file: the network's id."""
    gateways: tuple[str, ...]
    internal: bool
    members: tuple[Member, ...]
    borrowed: bool = False
    """Whether its addresses are another zone's. The server takes such in while it runs, and doesn't start with them."""

    @property
    def file(self) -> str:
        """The name of its file, which tells the server whether names of the world are asked for."""
        return self.name + ("%int" if self.internal else "")

    def text(self) -> str:
        """The file aardvark-dns reads."""
        lines = [
            f"{each.key} {each.four} {each.six} {','.join(each.names)} {','.join(each.servers)}".rstrip()
            for each in self.members
        ]
        return "\n".join([",".join(self.gateways), *lines]) + "\n"


def served(own: Iterable[str], network: str) -> tuple[str, ...]:
    """Returns the names of a container on a network: each alone, and followed by the network's (`web.shop`).

    What is no host name is left out: a space, comma or line break in it would be read as the server's own notation.
    """
    plain = [name for name in own if _HOST_NAME.fullmatch(name)]
    suffix = [network] if _HOST_NAME.fullmatch(network) else []
    return (*plain, *(f"{name}.{each}" for each in suffix for name in plain))


class NameServer:
    """Runs aardvark-dns while a network needs it; `directory` is where its files are."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)

    async def serve(self, zones: Sequence[Zone]) -> None:
        """Makes it serve these zones and no others.

        Raises:
            Unsupported: It isn't installed.
        """
        wanted = {zone.file: zone.text() for zone in zones if zone.members}
        first = {zone.file: wanted[zone.file] for zone in zones if zone.members and not zone.borrowed}
        if first and not self._pid():
            self._write(first)
            await self._start()
        if self._write(wanted) and (pid := self._pid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)

    def _write(self, wanted: Mapping[str, str]) -> bool:
        """Makes these the only files; returns whether any was another before."""
        changed = False
        for left in self._directory.iterdir():
            if left.name not in {"aardvark.pid", *wanted}:
                left.unlink()
                changed = True
        for name, text in wanted.items():
            file = self._directory / name
            if not file.exists() or file.read_text() != text:
                file.write_text(text)
                changed = True
        return changed

    def _pid(self) -> int:
        try:
            pid = int((self._directory / "aardvark.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return 0
        return pid if str(self._directory).encode() in command and subprocesses.start_time(pid) else 0

    async def _start(self) -> None:
        program = shutil.which("aardvark-dns", path=SEARCH)
        if program is None:
            raise Unsupported(
                "aardvark-dns is missing, so containers can't find each other by name",
                hint="apt-get install aardvark-dns",
                reference="no-aardvark",
            )
        await subprocesses.run([program, "--config", str(self._directory), "--port", "53", "run"], quiet=True)


_USUAL = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff00::0\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
]


def hosts(
    record: ContainerRecord, addresses: Sequence[str], gateway: str, linked: Sequence[tuple[str, str]] = ()
) -> str:
    """Writes a container's /etc/hosts.

    Args:
        record: The container.
        addresses: Its own.
        gateway: What `host-gateway` means on its network.
        linked: Address and names of each container it has a link to.
    """
    lines = _of_the_host() if record.network_mode == "host" else _USUAL.copy()
    for rule in record.host.extra_hosts:
        name, _, address = rule.partition(":")
        lines.append(f"{gateway if address == 'host-gateway' else address}\t{name}")
    lines += [f"{address}\t{names}" for address, names in linked if names]
    config = record.config
    whole = f"{config.hostname}.{config.domainname}" if config.domainname else config.hostname
    full = f"{whole} {whole.partition('.')[0]}" if "." in whole else whole
    lines += [f"{address}\t{full}" for address in addresses]
    return "\n".join(lines) + "\n"


def _of_the_host() -> list[str]:
    """The lines of its own file, for who is on its network."""
    try:
        return Path("/etc/hosts").read_text(errors="replace").splitlines()
    except OSError:
        return _USUAL.copy()
