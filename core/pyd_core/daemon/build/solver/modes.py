"""Modes of copied files: octal numbers and symbolic changes, see chmod(1)."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass

from pyd_core.errors import InvalidInput

_CLAUSE = re.compile(r"([ugoa]*)([-+=])([rwxXst]*)")
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111}
_WHO = {"u": 0o700, "g": 0o070, "o": 0o007, "a": 0o777}


@dataclass(frozen=True)
class ModeChange:
    """A change of permissions."""

    octal: int | None = None
    clauses: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> ModeChange:
        """Parse `0755` or `u=rwX,go=rX`.

        Raises:
            InvalidInput: It is neither.
        """
        if text.isascii() and text.isdecimal():
            try:
                octal = int(text, 8)
            except ValueError:
                octal = -1
            if not 0 <= octal <= 0o7777:
                raise InvalidInput(f"invalid mode: {text[:40]!r} is no octal number up to 7777")
            return cls(octal=octal)
        clauses: list[tuple[str, str, str]] = []
        for part in text.split(","):
            match = _CLAUSE.fullmatch(part)
            if match is None:
                raise InvalidInput(f"invalid mode: {text[:40]!r}")
            clauses.append((match[1] or "a", match[2], match[3]))
        return cls(clauses=tuple(clauses))

    def apply(self, mode: int) -> int:
        """Return the permissions that a file of a mode gets."""
        if self.octal is not None:
            return self.octal
        result = stat.S_IMODE(mode)
        is_executable = stat.S_ISDIR(mode) or bool(mode & 0o111)
        for who, operator, letters in self.clauses:
            mask = 0
            for letter in who:
                mask |= _WHO[letter]
            bits = 0
            for letter in letters:
                if letter == "X":
                    bits |= 0o111 & mask if is_executable else 0
                elif letter == "s":
                    bits |= (0o4000 if mask & 0o700 else 0) | (0o2000 if mask & 0o070 else 0)
                elif letter == "t":
                    bits |= 0o1000
                else:
                    bits |= _BITS[letter] & mask
            if operator == "=":
                result = (result & ~mask) | bits
            elif operator == "+":
                result |= bits
            else:
                result &= ~bits
        return result
