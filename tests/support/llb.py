"""Definitions for tests, written as their operations."""

from __future__ import annotations

from typing import Any

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.solver.graph import digest_of, operations


class Llb:
    """A definition that grows by an operation at a time; each method returns the new one's digest."""

    def __init__(self) -> None:
        self.definition = ops_pb2.Definition()

    def add(self, op: ops_pb2.Op, name: str = "", *, ignore_cache: bool = False) -> str:
        """Add an operation."""
        body = op.SerializeToString(deterministic=True)
        digest = digest_of(body)
        if body not in operations(self.definition):
            operations(self.definition).append(body)  # type: ignore[attr-defined]
        if name:
            self.definition.metadata[digest].description["llb.customname"] = name
        if ignore_cache:
            self.definition.metadata[digest].ignore_cache = True
        return digest

    def source(self, identifier: str, **attrs: str) -> str:
        """Add a source."""
        op = ops_pb2.Op(source=ops_pb2.SourceOp(identifier=identifier))
        for key, value in attrs.items():
            op.source.attrs[key.replace("_", ".")] = value
        return self.add(op, identifier)

    def copy(self, base: str, source: str, path: str, destination: str, **options: Any) -> str:
        """Add a copy as COPY compiles to, onto an empty file system without a base."""
        op = ops_pb2.Op()
        for digest in filter(None, (base, source)):
            op.inputs.add(digest=digest, index=0)
        action = op.file.actions.add(input=0 if base else -1, secondaryInput=len(op.inputs) - 1, output=0)
        fields: dict[str, Any] = {
            "src": path,
            "dest": destination,
            "mode": -1,
            "timestamp": -1,
            "followSymlink": True,
            "dirCopyContents": True,
            "createDestPath": True,
            "allowWildcard": True,
            "allowEmptyWildcard": True,
            **options,
        }
        ignore_cache = fields.pop("ignore_cache", False)
        for key, value in fields.items():
            if isinstance(value, list):
                getattr(action.copy, key).extend(value)
            else:
                setattr(action.copy, key, value)
        return self.add(op, f"COPY {path} {destination}", ignore_cache=ignore_cache)

    def run(
        self, base: str, command: str | list[str], *mounts: ops_pb2.Mount, ignore_cache: bool = False, **meta: Any
    ) -> str:
        """Add a command; a mount's `selector` may begin with the digest of its input, `DIGEST!`."""
        op = ops_pb2.Op()
        op.inputs.add(digest=base, index=0)
        words = command if isinstance(command, list) else ["/bin/sh", "-c", command]
        op.exec.meta.args.extend(words)
        op.exec.meta.cwd = meta.pop("cwd", "/")
        op.exec.meta.env.extend(meta.pop("env", ["PATH=/bin"]))
        op.exec.network = meta.pop("network", ops_pb2.NONE)
        for key, value in meta.items():
            setattr(op.exec.meta, key, value)
        op.exec.mounts.add(input=0, dest="/", output=0)
        for mount in mounts:
            digest, mark, selector = mount.selector.partition("!")
            item = op.exec.mounts.add()
            item.CopyFrom(mount)
            if mark:
                item.input = len(op.inputs)
                item.selector = selector
                op.inputs.add(digest=digest, index=0)
        name = command if isinstance(command, str) else " ".join(command)
        return self.add(op, f"RUN {name}", ignore_cache=ignore_cache)

    def end(self, digest: str) -> ops_pb2.Definition:
        """Return the definition whose target is an operation."""
        op = ops_pb2.Op()
        op.inputs.add(digest=digest, index=0)
        self.add(op)
        return self.definition
