"""Detach keys, which leave an attached container running: `ctrl-p,ctrl-q` unless the client names others."""

from __future__ import annotations

from pyd_core.errors import InvalidInput

DEFAULT = "ctrl-p,ctrl-q"
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"
"""Keys that `ctrl-` may precede, in the order of the bytes that terminals send."""


def parse_keys(text: str) -> bytes:
    """Parse keys of a request, such as `ctrl-a,b`, into the bytes that a terminal sends; empty is the default.

    Raises:
        InvalidInput: A key is unknown.
    """
    keys = bytearray()
    for key in (text or DEFAULT).split(","):
        code = _control_code(key)
        if len(key) == 1:
            keys += key.encode()[:1]
        elif code is not None:
            keys.append(code)
        elif key != "DEL":
            raise InvalidInput(f"Unknown character: '{key[:20]}'")
        else:
            keys.append(0x7F)
    return bytes(keys)


def parse_option(text: str) -> bytes:
    """Parse keys of the command line, such as `ctrl-p,ctrl-q` or `ctrl-],x`, as the docker CLI does.

    Raises:
        InvalidInput: A key is neither a character nor `ctrl-` and one.
    """
    keys = bytearray()
    for key in text.split(","):
        code = _control_code(key)
        if len(key) == 1 and key.isascii():
            keys += key.encode()
        elif code is not None:
            keys.append(code)
        else:
            raise InvalidInput(f"not a key: {key!r}", hint="write keys as ctrl-p,ctrl-q")
    return bytes(keys)


def _control_code(key: str) -> int | None:
    if not key.startswith("ctrl-") or len(key) != 6 or key[5] not in _CONTROL:
        return None
    return _CONTROL.index(key[5])


class DetachKeys:
    """Detector of the keys in a client's input, which may arrive in any chunks.

    Args:
        keys: The bytes that a terminal sends for them.
    """

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = b""

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return the bytes to pass on, and whether the keys were typed; a possible start of them is held back."""
        data = self._held + data
        self._held = b""
        offset = data.find(self._keys)
        if offset >= 0:
            return data[:offset], True
        for length in range(min(len(self._keys) - 1, len(data)), 0, -1):
            if data.endswith(self._keys[:length]):
                self._held = data[-length:]
                return data[:-length], False
        return data, False
