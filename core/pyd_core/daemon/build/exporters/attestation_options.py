"""Attestations that a client asks for, in its front end attributes such as `attest:provenance`."""

from __future__ import annotations

import csv
from collections.abc import Mapping

import msgspec

from pyd_core.errors import InvalidInput, Unsupported
from pyd_core.gosyntax.booleans import BOOLS

PREFIX = "attest:"
MODES = ("min", "max")
SLSA_V02, SLSA_V1 = "v0.2", "v1"
VERSIONS = (SLSA_V02, SLSA_V1)
_FIELDS = frozenset(("type", "mode", "inline-only", "disabled", "builder-id", "reproducible", "filename", "version"))


class ProvenanceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a provenance attestation.

    Attributes:
        mode: `min` or `max`; `max` has build arguments, secret names, the graph and the Dockerfile too.
        is_inline_only: Whether only images get it, as clients ask by default.
        filename: The file that exports of files get.
        version: The version of SLSA's layout.
    """

    mode: str = "min"
    is_inline_only: bool = False
    builder_id: str = ""
    is_reproducible: bool = False
    filename: str = "provenance.json"
    version: str = SLSA_V02


def provenance_options(attributes: Mapping[str, str]) -> ProvenanceOptions | None:
    """Return the options of the provenance that a client asks for; None if it asks for none.

    Raises:
        InvalidInput: An option is malformed.
        Unsupported: The client asks for an attestation that this engine can't make.
    """
    chosen: ProvenanceOptions | None = None
    for name, text in attributes.items():
        if not name.startswith(PREFIX):
            continue
        kind, fields = name.removeprefix(PREFIX), _fields(name, text)
        if _flag("disabled", fields):
            continue
        if kind == "provenance":
            chosen = _provenance(fields)
        elif not _flag("inline-only", fields):
            raise _unserved(kind)
    return chosen


def _unserved(kind: str) -> Unsupported:
    if kind == "sbom":
        return Unsupported(
            "this engine has no SBOM scanner",
            hint="build without --sbom, and scan the image",
            reference="no-sbom-scanner",
        )
    return Unsupported(
        f"attestations of type {kind[:60]!r} aren't served", hint="provenance is", reference="unknown-attestation"
    )


def _fields(name: str, text: str) -> dict[str, str]:
    try:
        row = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise InvalidInput(f"{name[:60]}: {error}") from None
    pairs = (field.partition("=") for field in row if field)
    return {key.strip().lower(): value for key, _, value in pairs}


def _flag(key: str, fields: Mapping[str, str]) -> bool:
    text = fields.get(key)
    if text is None:
        return False
    if text and text not in BOOLS:
        raise InvalidInput(f"invalid boolean value for {key}: {text[:60]}")
    return BOOLS.get(text, True)


def _provenance(fields: Mapping[str, str]) -> ProvenanceOptions:
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise InvalidInput(f"unknown provenance option {min(unknown)[:60]!r}", hint=", ".join(sorted(_FIELDS)))
    mode = fields.get("mode") or "min"
    if mode not in MODES:
        raise InvalidInput(f"invalid provenance mode {mode[:60]!r}", hint="min or max")
    version = fields.get("version", SLSA_V02)
    if version not in VERSIONS:
        raise InvalidInput(f"invalid provenance SLSA version: {version[:20]!r}", hint=" or ".join(VERSIONS))
    filename = fields.get("filename") or "provenance.json"
    if "/" in filename or filename in {".", ".."} or "\0" in filename or len(filename) > 200:
        raise InvalidInput(f"invalid file name {filename[:60]!r} for the provenance")
    return ProvenanceOptions(
        mode=mode,
        is_inline_only=_flag("inline-only", fields),
        builder_id=fields.get("builder-id", "")[:1000],
        is_reproducible=_flag("reproducible", fields),
        filename=filename,
        version=version,
    )
