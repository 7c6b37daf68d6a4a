"""The request for a build, of any protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from pyd_core.buildkit.proto import control_pb2, ops_pb2
from pyd_core.errors import InvalidInput, Unsupported

MAX_REF_BYTES = 256


@dataclass(frozen=True, kw_only=True)
class SolveRequest:
    """Request for a build: what to solve, and how to export the result.

    Attributes:
        ref: The build's reference, as its client named it.
        session_id: The client's session; empty for none.
        frontend: `dockerfile.v0`, `gateway.v0`, or empty: then `definition` is built, or else what the client returns
            over its gateway.
        attributes: The front end's attributes.
        inputs: Definitions that the front end uses by name.
        is_internal: Whether the build isn't kept in the history.
    """

    ref: str
    session_id: str = ""
    frontend: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    definition: ops_pb2.Definition | None = None
    inputs: Mapping[str, ops_pb2.Definition] = field(default_factory=dict)
    exporters: tuple[control_pb2.Exporter, ...] = ()
    cache_imports: tuple[control_pb2.CacheOptionsEntry, ...] = ()
    cache_exports: tuple[control_pb2.CacheOptionsEntry, ...] = ()
    entitlements: frozenset[str] = frozenset()
    is_internal: bool = False

    @classmethod
    def from_message(cls, message: control_pb2.SolveRequest) -> SolveRequest:
        """Read BuildKit's request, with the older forms of its fields.

        Raises:
            InvalidInput: It has no reference.
            Unsupported: It asks for what this engine hasn't.
        """
        if not message.Ref or len(message.Ref) > MAX_REF_BYTES:
            raise InvalidInput("a build needs a reference of at most 256 characters")
        if message.SourcePolicy.rules or message.SourcePolicySession:
            raise Unsupported("source policies are not served by this engine", reference="not-served")
        exporters = list(message.Exporters)
        if message.ExporterDeprecated and not exporters:
            exporters.append(
                control_pb2.Exporter(Type=message.ExporterDeprecated, Attrs=message.ExporterAttrsDeprecated)
            )
        cache = message.Cache
        imports, exports = list(cache.Imports), list(cache.Exports)
        imports += (_registry(ref) for ref in cache.ImportRefsDeprecated)
        if cache.ExportRefDeprecated:
            exports.append(_registry(cache.ExportRefDeprecated, cache.ExportAttrsDeprecated))
        return cls(
            ref=message.Ref,
            session_id=message.Session,
            frontend=message.Frontend,
            attributes=dict(message.FrontendAttrs),
            definition=message.Definition if message.HasField("Definition") and _ops(message.Definition) else None,
            inputs=dict(message.FrontendInputs),
            exporters=tuple(exporters),
            cache_imports=tuple(imports),
            cache_exports=tuple(exports),
            entitlements=frozenset(message.Entitlements),
            is_internal=message.Internal,
        )


def imports_of(attributes: Mapping[str, str]) -> tuple[control_pb2.CacheOptionsEntry, ...]:
    """Return the caches that a front end's attributes name: `cache-imports`, as JSON, or the older `cache-from`.

    Raises:
        InvalidInput: It isn't such a list.
    """
    text = attributes.get("cache-imports", "")
    if not text:
        return tuple(_registry(ref) for ref in attributes.get("cache-from", "").split(",") if ref)
    try:
        entries = msgspec.json.decode(text, type=list[_CacheImport])
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"cache-imports: {error}") from error
    return tuple(control_pb2.CacheOptionsEntry(Type=entry.kind, Attrs=entry.attributes) for entry in entries)


class _CacheImport(msgspec.Struct):
    kind: str = msgspec.field(default="", name="Type")
    attributes: dict[str, str] = msgspec.field(default_factory=dict, name="Attrs")


def _registry(ref: str, attributes: Mapping[str, str] | None = None) -> control_pb2.CacheOptionsEntry:
    return control_pb2.CacheOptionsEntry(Type="registry", Attrs={**(attributes or {}), "ref": ref})


def _ops(definition: ops_pb2.Definition) -> list[bytes]:
    ops: list[bytes] = getattr(definition, "def")  # the field's name is a keyword
    return ops
