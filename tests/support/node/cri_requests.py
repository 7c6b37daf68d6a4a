"""Requests that a kubelet makes of the Container Runtime Interface, which pyd itself never does.

The messages are encoded by hand: pyd's own definitions have only what it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grpclib.client import Channel, UnaryUnaryMethod

Field = tuple[int, "int | str | bytes"]


class RawMessage:
    """A message as bytes.

    Args:
        data: Its encoding.
    """

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    def SerializeToString(self) -> bytes:
        """Return the encoding."""
        return self.data

    @classmethod
    def FromString(cls, data: bytes) -> RawMessage:
        """Keep an encoding."""
        return cls(data)


def message(*fields: Field) -> bytes:
    """Encode a message of fields by number: integers, texts and nested messages."""
    parts: list[bytes] = []
    for number, value in fields:
        if isinstance(value, int):
            parts += [_varint(number << 3), _varint(value)]
        else:
            data = value.encode() if isinstance(value, str) else value
            parts += [_varint(number << 3 | 2), _varint(len(data)), data]
    return b"".join(parts)


def first_text(data: bytes) -> str:
    """Return the text in the first field of a message: the id in the responses to creations."""
    assert data[0] == 0x0A
    return data[2 : 2 + data[1]].decode()


async def call(socket: str, method: str, *fields: Field, service: str = "RuntimeService") -> bytes:
    """Call `/runtime.v1.SERVICE/METHOD` and return the response's encoding."""
    channel = Channel(path=socket)
    try:
        rpc: Any = UnaryUnaryMethod(channel, f"/runtime.v1.{service}/{method}", RawMessage, RawMessage)
        response = await rpc(RawMessage(message(*fields)), timeout=60)
        return bytes(response.data)
    finally:
        channel.close()


def sandbox_config(name: str, log_directory: str) -> bytes:
    """Return the configuration of a pod on the node's network, as the kubelet of `hostNetwork` pods sends it."""
    namespaces = message((1, message((1, 2))))  # network: NODE
    labels = [
        (6, message((1, "io.kubernetes.pod.name"), (2, name))),
        (6, message((1, "io.kubernetes.pod.namespace"), (2, "shop"))),
    ]
    return message(
        (1, message((1, name), (2, f"uid-{name}"), (3, "shop"))),
        (3, log_directory),
        *labels,
        (8, message((2, namespaces))),
    )


def container_config(
    name: str, image: str, command: Sequence[str], *, pod: str, memory: int = 0, tty: bool = False
) -> bytes:
    """Return the configuration of a container of a pod."""
    labels = [
        ("io.kubernetes.pod.name", pod),
        ("io.kubernetes.pod.namespace", "shop"),
        ("io.kubernetes.container.name", name),
    ]
    resources = message(*([(4, memory)] if memory else []))
    security = message((3, message((1, 2))))
    return message(
        (1, message((1, name))),
        (2, message((1, image))),
        *((3, word) for word in command),
        *((9, message((1, key), (2, value))) for key, value in labels),
        (11, f"{name}.log"),
        *([(14, 1)] if tty else []),
        (15, message((1, resources), (2, security))),
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
