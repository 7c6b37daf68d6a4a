"""Published ports: the host ports of containers, each reserved by a bound socket."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from pyd_core.daemon.containers.options import parse_port
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.linux.listeners import find_listener
from pyd_core.model.host_config import PortBinding

ANY = "0.0.0.0"  # noqa: S104 - the meaning of publishing without an address
ANY6 = "::"


class Ports:
    """Host ports of all running containers."""

    def __init__(self) -> None:
        self._held: dict[str, list[socket.socket]] = {}

    def publish(self, record: ContainerRecord, *, six: bool, host: str = "") -> dict[str, list[PortBinding]]:
        """Reserve the host ports that a container publishes.

        Args:
            record: The container.
            has_ipv6: Whether it has an IPv6 address: ports published on every address then include those of IPv6.
            default_address: The address for ports without one; empty is every address.

        Raises:
            EngineError: A port is in use.
            InvalidInput: An address is invalid.
        """
        wanted: dict[str, list[PortBinding]] = {}
        if record.host.publish_all_ports:
            wanted = {port: [PortBinding()] for port in record.config.exposed_ports}
        wanted |= {port: bindings or [PortBinding()] for port, bindings in record.host.port_bindings.items()}
        if host:
            wanted = {port: [_on(host, each) for each in bindings] for port, bindings in wanted.items()}
        found: dict[str, list[PortBinding]] = {}
        try:
            for port, bindings in wanted.items():
                _, protocol = parse_port(port)
                found[port] = [taken for each in bindings for taken in self._both(record, protocol, each, six=six)]
        except (EngineError, InvalidInput):
            self.release(record.id)
            raise
        return found

    def _both(self, record: ContainerRecord, protocol: str, binding: PortBinding, *, six: bool) -> list[PortBinding]:
        if ":" in binding.host_ip and not six:
            raise InvalidInput(
                f"can't publish on {binding.host_ip[:60]}: the container has no IPv6 address",
                hint="put it on a network made with --ipv6",
            )
        taken = [self._take(record, protocol, binding)]
        if six and not binding.host_ip:
            also = PortBinding(host_ip=ANY6, host_port=taken[0].host_port)
            taken.append(self._take(record, protocol, also))
        return taken

    def hold(self, record: ContainerRecord) -> None:
        """Reserve the ports of a container that is already running."""
        for port, bindings in record.ports.items():
            for each in bindings:
                try:
                    self._take(record, parse_port(port)[1], each)
                except EngineError:
                    continue  # another program took it while no engine ran; the rules still forward it to the container

    def release(self, key: str) -> None:
        """Release a container's ports."""
        for held in self._held.pop(key, []):
            held.close()

    def release_all(self) -> None:
        """Release all ports, because this process ends."""
        for key in list(self._held):
            self.release(key)

    def _take(self, record: ContainerRecord, protocol: str, binding: PortBinding) -> PortBinding:
        address = binding.host_ip or ANY
        try:
            ip_address(address)
        except ValueError:
            raise InvalidInput(f"invalid IP address: {address[:60]!r}") from None
        kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}.get(protocol)
        if kind is None:
            raise InvalidInput(f"can't publish {protocol} ports")
        reason = "port is already allocated"
        candidates = _candidates(binding.host_port)
        for number in candidates:
            try:
                made = _bound(address, number, kind)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    reason = str(error.strerror)
                elif len(candidates) == 1:
                    reason = f"port is already allocated{self._by_whom(number, protocol)}"
                continue
            self._held.setdefault(record.id, []).append(made)
            return PortBinding(host_ip=address, host_port=str(made.getsockname()[1]))
        raise EngineError(
            f"driver failed programming external connectivity on container {record.name}: "
            f"Bind for {address}:{binding.host_port} failed: {reason}"
        )

    def _by_whom(self, port: int, protocol: str) -> str:
        """Return who holds a host port, if known: another container, or a program of the host."""
        kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[protocol]
        for key, held in self._held.items():
            if any(each.type == kind and each.getsockname()[1] == port for each in held):
                return f" by container {key[:12]}"
        found = find_listener(port, protocol)
        if found is None or found.pid is None:
            return ""
        return f" by {found.name or 'a program'} (process {found.pid})"


def _bound(address: str, number: int, kind: socket.SocketKind) -> socket.socket:
    """Bind a port of the host.

    Closed connections of a program that has ended (TIME_WAIT, tcp(7)) block the port for a minute, unless the address
    may be reused. But then the socket excludes others only while it listens, so that is tried second.

    Raises:
        OSError: The port is in use.
    """
    again = False
    while True:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        try:
            if ":" in address:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, again)
            made.bind((address, number))
            if again:
                made.listen(1)
        except OSError as error:
            made.close()
            if again or error.errno != errno.EADDRINUSE or kind != socket.SOCK_STREAM:
                raise
            again = True
        else:
            return made


def _on(host: str, binding: PortBinding) -> PortBinding:
    return PortBinding(host_ip=binding.host_ip or host, host_port=binding.host_port)


def _candidates(text: str) -> Sequence[int]:
    low, dash, high = text.partition("-")
    return range(int(low), int(high) + 1) if dash else (int(low or 0),)
