"""File operations: copies, new files and directories in one operation."""

from __future__ import annotations

import posixpath

from pyd_core.buildkit.llb.vertex import NO_OUTPUT, GraphVertex, InputList, VertexOutput
from pyd_core.buildkit.proto import ops_pb2

NO_TIME = -1
"""Timestamp that leaves times as they are."""


class FileOpBuilder:
    """File operation under construction; each action sees the result of the one before.

    Args:
        base: The file system to change; None is an empty one.
    """

    def __init__(self, base: VertexOutput | None) -> None:
        self._inputs = InputList()
        self._base = self._inputs.add(base)
        self._actions: list[ops_pb2.FileAction] = []
        self._secondary: list[int] = []

    @property
    def base_index(self) -> int:
        """Index of the file system to change, which names of owners are looked up in."""
        return self._base

    def copy(self, source: VertexOutput | None, action: ops_pb2.FileActionCopy) -> None:
        """Add a copy from a file system."""
        self._add(ops_pb2.FileAction(copy=action), self._inputs.add(source))

    def mkdir(self, action: ops_pb2.FileActionMkDir) -> None:
        """Add a new directory."""
        self._add(ops_pb2.FileAction(mkdir=action), -1)

    def mkfile(self, action: ops_pb2.FileActionMkFile) -> None:
        """Add a new file."""
        self._add(ops_pb2.FileAction(mkfile=action), -1)

    def _add(self, action: ops_pb2.FileAction, secondary: int) -> None:
        self._actions.append(action)
        self._secondary.append(secondary)

    def build(self, *, metadata: ops_pb2.OpMetadata | None = None, lines: tuple[int, int] | None = None) -> GraphVertex:
        """Return the operation; its only output is the result of the last action."""
        count = len(self._inputs.outputs)
        for number, action in enumerate(self._actions):
            action.input = self._base if number == 0 else count + number - 1
            action.secondaryInput = self._secondary[number]
            action.output = 0 if number == len(self._actions) - 1 else NO_OUTPUT
        op = ops_pb2.Op(file=ops_pb2.FileOp(actions=self._actions))
        return GraphVertex(op, self._inputs.outputs, metadata=metadata, lines=lines)


def owner_option(text: str, base_index: int) -> ops_pb2.ChownOpt | None:
    """Return an owner: `user`, `user:group` or ids; names are looked up in the file system with that index."""
    if not text:
        return None
    user, _, group = text.partition(":")
    owner = ops_pb2.ChownOpt()
    if user:
        owner.user.CopyFrom(_user_option(user, base_index))
    if group:
        owner.group.CopyFrom(_user_option(group, base_index))
    return owner


def _user_option(text: str, base_index: int) -> ops_pb2.UserOpt:
    if text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) < 1 << 32:
        return ops_pb2.UserOpt(byID=int(text))
    return ops_pb2.UserOpt(byName=ops_pb2.NamedUserOpt(name=text, input=base_index))


def destination_path(directory: str, path: str) -> str:
    """Return an absolute path; a trailing slash, which means "into the directory", is kept."""
    clean = posixpath.normpath(posixpath.join("/", directory, path or "."))
    clean = "/" + clean.lstrip("/")
    if path.endswith("/") or path in {"", "."}:
        return clean if clean.endswith("/") else f"{clean}/"
    if path.endswith("/."):
        return f"{clean.rstrip('/')}/."
    return clean


def source_path(path: str) -> str:
    """Return a path below the source's root; `..` never leads out of it."""
    return "/" + posixpath.normpath(f"/{path}").lstrip("/")
