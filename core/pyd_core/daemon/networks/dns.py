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
SEARCH_PATH = "/usr/lib/podman:/usr/libexec/podman:/usr/bin"


@dataclass(frozen=True, kw_only=True)
class Member:
    """Names and addresses of a container on a network."""

    key: str
    ipv4: str
    ipv6: str
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
    shares_addresses: bool = False
    """Whether another zone has the same addresses: a running server accepts that, but it can't start so."""

    @property
    def file(self) -> str:
        """The name of its file, which also controls whether the server resolves external names."""
        return self.name + ("%int" if self.internal else "")

    def text(self) -> str:
        """Return the content of its file for aardvark-dns."""
        lines = [
            f"{member.key} {member.ipv4} {member.ipv6} {','.join(member.names)} {','.join(member.servers)}".rstrip()
            for member in self.members
        ]
        return "\n".join([",".join(self.gateways), *lines]) + "\n"


def network_names(names: Iterable[str], network: str) -> tuple[str, ...]:
    """Return a container's names on a network: as they are, and with the network as suffix (`web.shop`).

    Invalid host names are left out: a space, comma or line break would be parsed as syntax of the server's file.
    """
    host_names = [name for name in names if _HOST_NAME.fullmatch(name)]
    suffix = [network] if _HOST_NAME.fullmatch(network) else []
    return (*host_names, *(f"{name}.{domain}" for domain in suffix for name in host_names))


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
        files = {zone.file: zone.text() for zone in zones if zone.members}
        initial_files = {zone.file: files[zone.file] for zone in zones if zone.members and not zone.shares_addresses}
        if initial_files and not self._pid():
            self._write(initial_files)
            await self._start()
        if self._write(files) and (pid := self._pid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)

    def _write(self, files: Mapping[str, str]) -> bool:
        """Write exactly these files; return whether any has changed."""
        changed = False
        for path in self._directory.iterdir():
            if path.name not in {"aardvark.pid", *files}:
                path.unlink()
                changed = True
        for name, text in files.items():
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
        program = shutil.which("aardvark-dns", path=SEARCH_PATH)
        if program is None:
            raise Unsupported(
                "aardvark-dns is missing, so containers can't find each other by name",
                hint="apt-get install aardvark-dns",
                reference="no-aardvark",
            )
        await subprocesses.run([program, "--config", str(self._directory), "--port", "53", "run"], quiet=True)


_DEFAULT_HOSTS = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff00::0\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
]


def hosts_file(
    record: ContainerRecord, addresses: Sequence[str], gateway: str, linked: Sequence[tuple[str, str]] = ()
) -> str:
    """Return the content of a container's /etc/hosts.

    Args:
        record: The container.
        addresses: The container's addresses.
        gateway: The address for `host-gateway` on its network.
        linked: Address and names of each container that it links to.
    """
    lines = _host_lines() if record.network_mode == "host" else _DEFAULT_HOSTS.copy()
    for rule in record.host.extra_hosts:
        name, _, address = rule.partition(":")
        lines.append(f"{gateway if address == 'host-gateway' else address}\t{name}")
    lines += [f"{address}\t{names}" for address, names in linked if names]
    config = record.config
    fqdn = f"{config.hostname}.{config.domainname}" if config.domainname else config.hostname
    full = f"{fqdn} {fqdn.partition('.')[0]}" if "." in fqdn else fqdn
    lines += [f"{address}\t{full}" for address in addresses]
    return "\n".join(lines) + "\n"


def _host_lines() -> list[str]:
    """Return the lines of the host's file, for containers on its network."""
    try:
        return Path("/etc/hosts").read_text(errors="replace").splitlines()
    except OSError:
        return _DEFAULT_HOSTS.copy()
