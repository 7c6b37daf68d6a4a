"""Detach keys, which leave an attached container running: `ctrl-p,ctrl-q` unless the client names others."""

from __future__ import annotations

from pyd_core.errors import InvalidInput

DEFAULT = "ctrl-p,ctrl-q"


def parse_keys(text: str) -> bytes:
    """Parse `ctrl-a,b` into the bytes that a terminal sends.

    Raises:
        InvalidInput: A key is unknown.
    """
    keys = bytearray()
    for key in (text or DEFAULT).split(","):
        if len(key) == 1:
            keys += key.encode()[:1]
        elif key.startswith("ctrl-") and len(key) == 6 and key[5] in "abcdefghijklmnopqrstuvwxyz@[\\]^_":
            keys.append(ord(key[5].upper()) & 0x1F)
        elif key != "DEL":
            raise InvalidInput(f"Unknown character: '{key[:20]}'")
        else:
            keys.append(0x7F)
    return bytes(keys)


class Detacher:
    """Detects the keys in a client's input; a partial match is held back until the next byte decides."""

    def __init__(self, keys: str) -> None:
        self._keys = parse_keys(keys)
        self._seen = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return the bytes to pass to the container, and whether the keys were typed."""
        out = bytearray()
        for byte in data:
            if byte == self._keys[self._seen]:
                self._seen += 1
                if self._seen == len(self._keys):
                    self._seen = 0
                    return bytes(out), True
                continue
            out += self._keys[: self._seen]
            self._seen = 0
            if byte == self._keys[0]:
                self._seen = 1
            else:
                out.append(byte)
        return bytes(out), False
