"""Editing an object as YAML: its text, the server's answer to a change without making it, and the change."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import msgspec

from pyd_core.errors import InvalidInput, Unsupported
from pyd_core.kube.cluster_api import ClusterApi, Query
from pyd_core.kube.documents import presentable, to_yaml
from pyd_core.sanitise import safe

MAX_TEXT_BYTES = 4 * 2**20
IDENTITY = ("apiVersion", "kind")
NAMES = ("name", "namespace", "uid", "resourceVersion")


class EditedObject:
    """An object that is being edited.

    Args:
        api: The API server.
        path: The object's path.
        document: The object as the server has it.
    """

    def __init__(self, api: ClusterApi, path: str, document: dict[str, Any]) -> None:
        self._api = api
        self._path = path
        self._document = document

    @classmethod
    async def fetch(cls, api: ClusterApi, path: str) -> EditedObject:
        """Fetch an object.

        Raises:
            Unsupported: It is a secret; an editor would leave its values in files.
        """
        document = msgspec.json.decode((await api.send("GET", path)).body, type=dict[str, Any])
        if document.get("kind") == "Secret":
            raise Unsupported(
                "secrets aren't edited: an editor would leave their values in its files",
                hint="create it again from its source",
                reference="secret-not-edited",
            )
        return cls(api, path, document)

    @property
    def text(self) -> str:
        """The object as YAML, without what the server itself writes."""
        return to_yaml(_editable(self._document))

    async def try_out(self, text: str) -> Change:
        """Ask the server what a change would make of the object, without making it.

        Raises:
            InvalidInput: It isn't YAML, names another object, or the server refuses it.
            Conflict: The object has changed meanwhile.
        """
        document = parse_document(text, self._document)
        result = await self._put(document, {"dryRun": "All"})
        return Change(document, [*_difference(self.text, to_yaml(_editable(result)))])

    async def apply(self, change: Change) -> None:
        """Make a change.

        Raises:
            Conflict: The object has changed meanwhile.
        """
        self._document = await self._put(change.document, None)

    async def _put(self, document: dict[str, Any], query: Query | None) -> dict[str, Any]:
        answer = await self._api.send("PUT", self._path, query, body=document)
        return msgspec.json.decode(answer.body, type=dict[str, Any])


class Change(msgspec.Struct, frozen=True):
    """A change that the server would accept.

    Attributes:
        document: The object to send.
        lines: The difference as the server would store it, in unified form; empty if there is none.
    """

    document: dict[str, Any]
    lines: list[str]


def parse_document(text: str, original: dict[str, Any]) -> dict[str, Any]:
    """Parse an edited object, and take its identity and version from the original.

    Raises:
        InvalidInput: It isn't a YAML mapping, or names another object.
    """
    import yaml  # noqa: PLC0415 - only for people

    if len(text) > MAX_TEXT_BYTES:
        raise InvalidInput("the edited object is too long", reference="edit-invalid")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1} " if mark is not None else "it "
        raise InvalidInput(f"{where}is not YAML: {safe(str(getattr(error, 'problem', '')))}") from error
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        raise InvalidInput("the text is not an object: it has no metadata", reference="edit-invalid")
    known = original.get("metadata", {})
    metadata = document["metadata"]
    same = all(document.get(field) == original.get(field) for field in IDENTITY)
    if not same or metadata.get("name") != known.get("name"):
        raise InvalidInput(
            "the edit names another object", hint="keep apiVersion, kind and name", reference="edit-renames"
        )
    # What is left out of the text stays as it is on the server: kubectl's copy, for example.
    kept = {name: known[name] for name in NAMES if name in known}
    annotations = {**_hidden_annotations(known), **(metadata.get("annotations") or {})}
    document["metadata"] = {**metadata, **kept, **({"annotations": annotations} if annotations else {})}
    if "status" in original:
        document["status"] = original["status"]
    return document


def _hidden_annotations(metadata: dict[str, Any]) -> dict[str, str]:
    shown = presentable({"metadata": metadata})["metadata"].get("annotations", {})
    return {name: value for name, value in (metadata.get("annotations") or {}).items() if name not in shown}


def _editable(document: dict[str, Any]) -> dict[str, Any]:
    shown = presentable(document)
    shown.pop("status", None)
    metadata = dict(shown["metadata"])
    for name in ("uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"):
        metadata.pop(name, None)
    return {**shown, "metadata": metadata}


def _difference(before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "now", "then", lineterm="", n=2)
    yield from lines
