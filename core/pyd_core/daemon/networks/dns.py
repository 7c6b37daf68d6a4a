"""Name resolution: each container's hosts file, and a name server for user-defined networks.

The server is aardvark-dns, one process for all networks. It reads a file per network: the first line has the addresses
to listen on, each further one a container's id, addresses, names and own servers. SIGHUP makes it read the files again,
and it exits when none is left.
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
    """Names and addresses of a container on a network."""

    key: str
    four: str
    six: str
    names: tuple[str, ...]
    servers: tuple[str, ...] = ()
    """Upstream servers to use instead of the host's (`--dns`)."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """Names of a network."""

    name: str
    """Name of its file: the network's id."""
    gateways: tuple[str, ...]
    internal: bool
    members: tuple[Member, ...]
    borrowed: bool = False
    """Whether another zone has the same addresses. A running server accepts such a zone, but it can't start with
    one."""

    @property
    def file(self) -> str:
        """The name of its file, which also controls whether the server resolves external names."""
        return self.name + ("%int" if self.internal else "")

    def text(self) -> str:
        """Return the content of its file for aardvark-dns."""
        lines = [
            f"{each.key} {each.four} {each.six} {','.join(each.names)} {','.join(each.servers)}".rstrip()
            for each in self.members
        ]
        return "\n".join([",".join(self.gateways), *lines]) + "\n"


def served(own: Iterable[str], network: str) -> tuple[str, ...]:
    """Return a container's names on a network: as they are, and with the network as suffix (`web.shop`).

    Invalid host names are left out: a space, comma or line break would be parsed as syntax of the server's file.
    """
    plain = [name for name in own if _HOST_NAME.fullmatch(name)]
    suffix = [network] if _HOST_NAME.fullmatch(network) else []
    return (*plain, *(f"{name}.{each}" for each in suffix for name in plain))


class NameServer:
    """Manager of aardvark-dns, which runs while a network needs it; `directory` contains its files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)

    async def serve(self, zones: Sequence[Zone]) -> None:
        """Serve exactly these zones.

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
        """Write exactly these files; return whether any has changed."""
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
    """Return the content of a container's /etc/hosts.

    Args:
        record: The container.
        addresses: The container's addresses.
        gateway: The address for `host-gateway` on its network.
        linked: Address and names of each container that it links to.
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
    """Return the lines of the host's file, for containers on its network."""
    try:
        return Path("/etc/hosts").read_text(errors="replace").splitlines()
    except OSError:
        return _USUAL.copy()
