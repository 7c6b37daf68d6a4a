"""Detach keys, handled by the client: an engine that handles them reports the session as failed."""

from __future__ import annotations

from pyd_core.errors import InvalidInput

DEFAULT = "ctrl-p,ctrl-q"
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


def parse_keys(text: str) -> bytes:
    """Return the bytes that a terminal sends for keys such as `ctrl-p,ctrl-q` or `ctrl-],x`, as in the docker CLI.

    Raises:
        InvalidInput: A key is neither a character nor `ctrl-` and a character.
    """
    keys = bytearray()
    for name in text.split(","):
        if len(name) == 1 and name.isascii():
            keys += name.encode()
        elif name.startswith("ctrl-") and name[5:] in _CONTROL and len(name) == 6:
            keys.append(_CONTROL.index(name[5:]))
        else:
            raise InvalidInput(f"not a key: {name!r}", hint="write keys as ctrl-p,ctrl-q")
    return bytes(keys)


class DetachKeys:
    """Finds the keys in input that arrives in pieces.

    Args:
        keys: The bytes that a terminal sends for them.
    """

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = b""

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return the bytes to forward, and whether the keys were pressed; a possible prefix of them is held back."""
        data = self._held + data
        self._held = b""
        index = data.find(self._keys)
        if index >= 0:
            return data[:index], True
        for length in range(min(len(self._keys) - 1, len(data)), 0, -1):
            if data.endswith(self._keys[:length]):
                self._held = data[-length:]
                return data[:-length], False
        return data, False
