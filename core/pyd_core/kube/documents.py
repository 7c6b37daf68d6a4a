"""Objects as documents for people: without bookkeeping, and without the values of secrets."""

from __future__ import annotations

import base64
import binascii
import functools
from typing import Any

import msgspec

from pyd_core.kube.cluster_api import ClusterApi

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl's copy of the whole object, the values of secrets included."""


def presentable(document: dict[str, Any]) -> dict[str, Any]:
    """Return an object without managed fields and kubectl's copy, and with the values of a secret masked."""
    shown = dict(document)
    metadata = dict(shown.get("metadata") or {})
    metadata.pop("managedFields", None)
    annotations = {name: value for name, value in (metadata.get("annotations") or {}).items() if name != LAST_APPLIED}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    shown["metadata"] = metadata
    if shown.get("kind") == "Secret":
        for field in ("data", "stringData"):
            if isinstance(shown.get(field), dict):
                shown[field] = {name: masked(value) for name, value in shown[field].items()}
    return shown


def masked(value: object) -> str:
    """Return a secret's value as its size."""
    try:
        size = len(base64.b64decode(str(value), validate=True))
    except (binascii.Error, ValueError):
        size = len(str(value))
    return f"•••• ({size} bytes)"


async def fetch_document(api: ClusterApi, path: str) -> dict[str, Any]:
    """Return an object as `presentable` shows it."""
    document = msgspec.json.decode((await api.send("GET", path)).body)
    return presentable(document if isinstance(document, dict) else {})


def to_yaml(document: dict[str, Any]) -> str:
    """Return a document as YAML, its fields in the server's order and texts of several lines as blocks."""
    import yaml  # noqa: PLC0415 - only for people

    text: str = yaml.dump(document, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=1000)
    return text


@functools.cache
def _dumper() -> Any:
    """Return the class that writes documents."""
    import yaml  # noqa: PLC0415 - only for people

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    dumper: Any = type("DocumentDumper", (base,), {})
    dumper.add_representer(str, _represent_text)
    return dumper


def _represent_text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if _is_block(text) else None)


def _is_block(text: str) -> bool:
    """Return whether a text can be a block: several printable lines, none of which ends with a blank.

    A block that starts with a blank or an empty line needs a mark that people misread; the quoted form stays then.
    """
    lines = text.split("\n")
    return (
        len(lines) > 1
        and lines[0][:1] not in {"", " "}
        and all(line.isprintable() and not line.endswith(" ") for line in lines)
    )
