"""Access through a helper container for forks of the process that has it: the builtins that bash calls.

Only one process may use the connection to an agent. A fork sends one end of a socket pair to its parent. A thread there
describes the target on it, and then passes messages between the fork and the agent.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import msgspec

from pyd_core.debug.helper.access import HelperAccess
from pyd_core.debug.helper.channels import Channels
from pyd_core.debug.helper.link import AgentLink, TargetFacts
from pyd_core.debug.helper.tiers import TIERS
from pyd_core.debug.options import DebugOptions
from pyd_core.errors import ProtocolError, PydError
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

_SIZE = struct.Struct(">I")


class AccessOffer(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `HelperAccess` for a fork, which uses the access of its parent."""

    container: Container
    target: Container
    options: DebugOptions
    tier: int
    facts: TargetFacts


class AccessRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """The error of a parent without access."""

    message: str
    hint: str
    reference: str


class AccessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The parent's answer to a fork: one of the two is set."""

    offer: AccessOffer | None = None
    refusal: AccessRefusal | None = None


class AccessBroker:
    """Gives forks of this process access to a target; created before they are.

    Args:
        open_access: Returns the access, and opens it at the first call; runs in a thread.
    """

    def __init__(self, open_access: Callable[[], HelperAccess]) -> None:
        self._open_access = open_access
        self._server, self._clients = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        threading.Thread(target=self._accept, name="access-broker", daemon=True).start()

    def close(self) -> None:
        """Accept no more forks."""
        self._clients.close()

    @contextlib.contextmanager
    def connect(self) -> Iterator[HelperAccess]:
        """Open access for this process, which is a fork of the broker's.

        Raises:
            PydError: The parent has none.
        """
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                try:
                    socket.send_fds(self._clients, [b"\0"], [theirs.fileno()])
                except OSError as error:
                    raise ProtocolError("the shell is about to end") from error
            offer = _receive_offer(ours)
            name = safe(offer.container.name) or offer.container.id[:12]
            channels = Channels(AgentLink(ours, b"", name), name)
            try:
                yield HelperAccess(
                    offer.container,
                    offer.target,
                    channels,
                    options=offer.options,
                    tier=TIERS[offer.tier],
                    facts=offer.facts,
                )
            finally:
                channels.close()
                ours.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with self._server, contextlib.suppress(OSError):
            while True:
                message, descriptors, _, _ = socket.recv_fds(self._server, 1, 1)
                if not message:
                    return
                for descriptor in descriptors:
                    client = socket.socket(fileno=descriptor)
                    threading.Thread(target=self._serve, args=(client,), name="shared-access", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            try:
                access = self._open_access()
            except PydError as error:
                refusal = AccessRefusal(message=error.message, hint=error.hint, reference=error.reference)
                _send(client, AccessAnswer(refusal=refusal))
                return
            _send(client, AccessAnswer(offer=_offer(access)))
            access.channels.relay(client)


def _offer(access: HelperAccess) -> AccessOffer:
    return AccessOffer(
        container=access.container,
        target=access.target,
        options=access.options,
        tier=access.tier.number,
        facts=access.facts,
    )


def _send(client: socket.socket, answer: AccessAnswer) -> None:
    data = msgspec.json.encode(answer)
    client.sendall(_SIZE.pack(len(data)) + data)


def _receive_offer(parent: socket.socket) -> AccessOffer:
    size: int = _SIZE.unpack(_read_exactly(parent, _SIZE.size))[0]
    answer = msgspec.json.decode(_read_exactly(parent, size), type=AccessAnswer)
    if answer.offer is None:
        refusal = answer.refusal or AccessRefusal(message="the shell has no access", hint="", reference="error")
        raise PydError(refusal.message, hint=refusal.hint, reference=refusal.reference)
    return answer.offer


def _read_exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = source.recv(size - len(data))
        if not part:
            raise ProtocolError("the shell is about to end")
        data += part
    return data
