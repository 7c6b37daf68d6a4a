"""Sanitising of text from containers, images, registries and engines before it is shown.

All of it is untrusted: an escape sequence in a log line or a container's name could move the cursor, set the clipboard,
fake keyboard input or forge the lines around it.
"""

from __future__ import annotations

import re

_SGR = re.compile(r"\x1b\[[0-9;:]{0,64}m")
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f"  # C0 but tab, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # changes of the writing direction
    "\u2028\u2029\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # line ends and invisible characters
    "\ud800-\udfff\U000e0000-\U000e0fff]"  # lone surrogates; tags and selectors, which carry hidden text
)


def safe(text: str, *, colour: bool = False) -> str:
    """Return `text` with everything that a terminal would interpret made visible instead.

    Control characters become control pictures (`ESC` is shown as `␛`), others a replacement character; tabs are kept.

    Args:
        text: One line of any text.
        colour: Keep SGR sequences (colours, bold); the caller resets them after the line.
    """
    if text.isprintable() or _UNSAFE.search(text) is None:  # the first check is ten times as fast and mostly decides
        return text
    if not colour:
        return _UNSAFE.sub(_picture, text)
    kept: list[str] = []
    end = 0
    for match in _SGR.finditer(text):
        kept += (_UNSAFE.sub(_picture, text[end : match.start()]), match.group())
        end = match.end()
    kept.append(_UNSAFE.sub(_picture, text[end:]))
    return "".join(kept)


def safe_bytes(data: bytes, *, colour: bool = False) -> str:
    """Return bytes as safe text; invalid UTF-8 becomes replacement characters."""
    return safe(data.decode("utf-8", errors="replace"), colour=colour)


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
