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


class PortReservations:
    """Host ports of all running containers."""

    def __init__(self) -> None:
        self._sockets: dict[str, list[socket.socket]] = {}

    def publish(
        self, record: ContainerRecord, *, has_ipv6: bool, default_address: str = ""
    ) -> dict[str, list[PortBinding]]:
        """Reserve the host ports that a container publishes.

        Args:
            record: The container.
            has_ipv6: Whether it has an IPv6 address: ports published on every address then include those of IPv6.
            default_address: The address for ports without one; empty is every address.

        Raises:
            EngineError: A port is in use.
            InvalidInput: An address is invalid.
        """
        requested: dict[str, list[PortBinding]] = {}
        if record.host.publish_all_ports:
            requested = {port: [PortBinding()] for port in record.config.exposed_ports}
        requested |= {port: bindings or [PortBinding()] for port, bindings in record.host.port_bindings.items()}
        if default_address:
            requested = {
                port: [_with_address(default_address, binding) for binding in bindings]
                for port, bindings in requested.items()
            }
        published: dict[str, list[PortBinding]] = {}
        try:
            for port, bindings in requested.items():
                _, protocol = parse_port(port)
                published[port] = [
                    taken
                    for binding in bindings
                    for taken in self._reserve_all(record, protocol, binding, has_ipv6=has_ipv6)
                ]
        except (EngineError, InvalidInput):
            self.release(record.id)
            raise
        return published

    def _reserve_all(
        self, record: ContainerRecord, protocol: str, binding: PortBinding, *, has_ipv6: bool
    ) -> list[PortBinding]:
        if ":" in binding.host_ip and not has_ipv6:
            raise InvalidInput(
                f"can't publish on {binding.host_ip[:60]}: the container has no IPv6 address",
                hint="put it on a network made with --ipv6",
            )
        taken = [self._reserve(record, protocol, binding)]
        if has_ipv6 and not binding.host_ip:
            ipv6_binding = PortBinding(host_ip=ANY6, host_port=taken[0].host_port)
            taken.append(self._reserve(record, protocol, ipv6_binding))
        return taken

    def adopt(self, record: ContainerRecord) -> None:
        """Reserve the ports of a container that is already running."""
        for port, bindings in record.ports.items():
            for binding in bindings:
                try:
                    self._reserve(record, parse_port(port)[1], binding)
                except EngineError:
                    continue  # another program took it while no engine ran; the rules still forward it to the container

    def release(self, key: str) -> None:
        """Release a container's ports."""
        for sock in self._sockets.pop(key, []):
            sock.close()

    def release_all(self) -> None:
        """Release all ports, because this process ends."""
        for key in list(self._sockets):
            self.release(key)

    def _reserve(self, record: ContainerRecord, protocol: str, binding: PortBinding) -> PortBinding:
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
                sock = _bind(address, number, kind)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    reason = str(error.strerror)
                elif len(candidates) == 1:
                    reason = f"port is already allocated{self._describe_holder(number, protocol)}"
                continue
            self._sockets.setdefault(record.id, []).append(sock)
            return PortBinding(host_ip=address, host_port=str(sock.getsockname()[1]))
        raise EngineError(
            f"driver failed programming external connectivity on container {record.name}: "
            f"Bind for {address}:{binding.host_port} failed: {reason}"
        )

    def _describe_holder(self, port: int, protocol: str) -> str:
        """Return who holds a host port, if known: another container, or a program of the host."""
        kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[protocol]
        for key, sockets in self._sockets.items():
            if any(sock.type == kind and sock.getsockname()[1] == port for sock in sockets):
                return f" by container {key[:12]}"
        listener = find_listener(port, protocol)
        if listener is None or listener.pid is None:
            return ""
        return f" by {listener.name or 'a program'} (process {listener.pid})"


def _bind(address: str, number: int, kind: socket.SocketKind) -> socket.socket:
    """Bind a port of the host.

    Closed connections of a program that has ended (TIME_WAIT, tcp(7)) block the port for a minute, unless the address
    may be reused. But then the socket excludes others only while it listens, so that is tried second.

    Raises:
        OSError: The port is in use.
    """
    reuse = False
    while True:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        try:
            if ":" in address:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            sock.bind((address, number))
            if reuse:
                sock.listen(1)
        except OSError as error:
            sock.close()
            if reuse or error.errno != errno.EADDRINUSE or kind != socket.SOCK_STREAM:
                raise
            reuse = True
        else:
            return sock


def _with_address(address: str, binding: PortBinding) -> PortBinding:
    return PortBinding(host_ip=binding.host_ip or address, host_port=binding.host_port)


def _candidates(text: str) -> Sequence[int]:
    low, dash, high = text.partition("-")
    return range(int(low), int(high) + 1) if dash else (int(low or 0),)
