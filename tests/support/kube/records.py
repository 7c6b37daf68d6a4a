"""Answers of a real cluster, recorded once: pods in forty states with their events and logs, and a lost node."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

STATES = Path(__file__).parent / "records/states"
NODELOST = STATES.with_name("nodelost")
"""A pod of a node whose kubelet was killed, with that node; and a pod after the node's restart."""


@cache
def _read(name: str) -> str:
    file = STATES / f"{name}.json"
    return (file if file.exists() else NODELOST / f"{name}.json").read_text()


def state_names() -> list[str]:
    """Return the names of the recorded pod states."""
    return sorted(path.stem for path in STATES.glob("*.json"))


def state(name: str) -> dict[str, Any]:
    """Return a recorded pod with `pod`, `table`, `events` and `logs`; a fresh copy each time."""
    loaded: dict[str, Any] = json.loads(_read(name))
    return loaded
