"""The keys that leave a container running: `ctrl-p,ctrl-q` unless the client names others."""

from __future__ import annotations

from pyd_core.errors import InvalidInput

DEFAULT = "ctrl-p,ctrl-q"


def parse(text: str) -> bytes:
    """Read `ctrl-a,b` as the bytes a terminal sends.

    Raises:
        InvalidInput: A key is unknown.
    """
    found = bytearray()
    for key in (text or DEFAULT).split(","):
        if len(key) == 1:
            found += key.encode()[:1]
        elif key.startswith("ctrl-") and len(key) == 6 and key[5] in "abcdefghijklmnopqrstuvwxyz@[\\]^_":
            found.append(ord(key[5].upper()) & 0x1F)
        elif key != "DEL":
            raise InvalidInput(f"Unknown character: '{key[:20]}'")
        else:
            found.append(0x7F)
    return bytes(found)


class Detacher:
    """Finds the keys in what a client types; the first ones are held back until it is clear what they are."""

    def __init__(self, keys: str) -> None:
        self._keys = parse(keys)
        self._seen = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return what goes on to the container, and whether the keys were typed."""
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
