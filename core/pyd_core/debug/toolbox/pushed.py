"""The toolbox images that this user has pushed to registries, which debug containers in clusters run."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

FILE = "pushed-toolboxes.json"
"""In the user's state: references, the last pushed one first."""
MAX_IMAGES = 50


def _path() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state, "pyd", FILE)


def pushed_images() -> list[str]:
    """Return the references of pushed images, the last one first; a file that can't be read is none."""
    try:
        return msgspec.json.decode(_path().read_bytes(), type=list[str])
    except (OSError, msgspec.DecodeError):
        return []


def last_pushed() -> str:
    """Return the image that was pushed last; empty if none was."""
    return next(iter(pushed_images()), "")


def is_toolbox_image(reference: str) -> bool:
    """Return whether an image is one that was pushed."""
    return bool(reference) and reference in pushed_images()


def remember(reference: str) -> None:
    """Note an image as pushed."""
    images = list(dict.fromkeys([reference, *pushed_images()]))[:MAX_IMAGES]
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(msgspec.json.encode(images))
    fresh.rename(path)
