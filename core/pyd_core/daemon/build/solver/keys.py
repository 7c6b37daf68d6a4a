"""Cache keys: what makes two runs of an operation the same.

A key covers the operation without the digests of its inputs, and a key for each input: the key of the input's result,
or the digest of the content that the operation reads of it. So a copy of unchanged files is the same copy, whatever
else changed in its source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pyd_core.buildkit.proto import ops_pb2

_VERSION = b"pyd-1"
"""Changes when the meaning of a key does."""


@dataclass(frozen=True)
class CopySelection:
    """The part of a source that a copy reads, see `FileActionCopy`."""

    path: str
    follow_link: bool = False
    wildcards: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def operation_digest(op: ops_pb2.Op) -> bytes:
    """Return the digest of an operation without its inputs, and without what doesn't change its result."""
    plain = ops_pb2.Op()
    plain.CopyFrom(op)
    del plain.inputs[:]
    plain.ClearField("constraints")
    if plain.WhichOneof("op") == "exec":
        plain.exec.meta.ClearField("proxy_env")
        for mount in plain.exec.mounts:
            mount.ClearField("resultID")
    return hashlib.sha256(_VERSION + plain.SerializeToString(deterministic=True)).digest()


def result_key(operation: bytes, inputs: Sequence[str]) -> str:
    """Return the key of an operation's results."""
    hasher = hashlib.sha256(operation)
    for key in inputs:
        hasher.update(key.encode())
        hasher.update(b"\0")
    return f"sha256:{hasher.hexdigest()}"


def output_key(key: str, index: int) -> str:
    """Return the key of one output of an operation, as an input of another."""
    return f"{key}/{index}"


def content_selections(op: ops_pb2.Op) -> dict[int, tuple[CopySelection, ...]]:
    """Return the inputs of which only some content counts, with what is read of them.

    These are the sources of copies, and read-only mounts of commands. An input that is also something else counts as
    a unit.
    """
    match op.WhichOneof("op"):
        case "file":
            return _copied(op.file, len(op.inputs))
        case "exec":
            return _mounted(op.exec)
    return {}


def _copied(op: ops_pb2.FileOp, inputs: int) -> dict[int, tuple[CopySelection, ...]]:
    selections: dict[int, list[CopySelection]] = {}
    whole: set[int] = set()
    for action in op.actions:
        if 0 <= action.input < inputs:
            whole.add(action.input)
        if action.WhichOneof("action") != "copy":
            continue
        copy = action.copy
        for part in (copy.owner.user, copy.owner.group):
            if part.WhichOneof("user") == "byName":
                whole.add(part.byName.input)
        if 0 <= action.secondaryInput < inputs:
            selections.setdefault(action.secondaryInput, []).append(
                CopySelection(
                    copy.src,
                    follow_link=copy.followSymlink,
                    wildcards=copy.allowWildcard,
                    include=tuple(copy.include_patterns),
                    exclude=tuple(copy.exclude_patterns),
                )
            )
    return {index: tuple(parts) for index, parts in selections.items() if index not in whole}


def _mounted(op: ops_pb2.ExecOp) -> dict[int, tuple[CopySelection, ...]]:
    selections: dict[int, list[CopySelection]] = {}
    whole: set[int] = set()
    for mount in op.mounts:
        if mount.input < 0:
            continue
        is_content = (
            mount.mountType == ops_pb2.BIND
            and mount.readonly
            and mount.output < 0
            and mount.dest != "/"
            and mount.contentCache != ops_pb2.OFF
        )
        if is_content:
            selections.setdefault(mount.input, []).append(CopySelection(mount.selector or "/", follow_link=True))
        else:
            whole.add(mount.input)
    return {index: tuple(parts) for index, parts in selections.items() if index not in whole}
