"""Configurations of images: the fields that are read, and validation like that of Docker Engine."""

from __future__ import annotations

import re

import msgspec

from pyd_core.errors import InvalidInput, PydError
from pyd_core.model.base import decode
from pyd_core.model.container_config import ContainerConfig

MAX_CONFIG_BYTES = 8 << 20
_MAX_DEPTH = 100
"""Limit for nested lists and objects; no field that is read is nested deeper."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""A string or a bracket. An unclosed string ends with the input, else each quote in it would be tried too."""
_ESCAPE = re.compile(
    rb"\\(?:[^u]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|u)"
)


class HistoryStep(msgspec.Struct):
    """Step of an image's history."""

    created: str = ""
    created_by: str = ""
    comment: str = ""
    author: str = ""
    empty_layer: bool = False


class ConfigRootFs(msgspec.Struct):
    """Layers, by the digests of the unpacked tars, the lowest first."""

    type: str = ""
    diff_ids: list[str] | None = None


class ImageConfig(msgspec.Struct):
    """Configuration of an image, in the form of the OCI image spec's config.md or Docker's older one."""

    architecture: str = ""
    os: str = "linux"
    variant: str = ""
    created: str = ""
    author: str = ""
    comment: str = ""
    docker_version: str = ""
    config: ContainerConfig | None = None
    rootfs: ConfigRootFs | None = None
    history: list[HistoryStep] | None = None

    @property
    def diff_ids(self) -> list[str]:
        """The diff ids of its layers."""
        return (self.rootfs.diff_ids if self.rootfs else None) or []


def read_config(body: bytes) -> ImageConfig:
    """Read a configuration; like Docker Engine, accept a plain string as a command.

    Raises:
        InvalidInput: It isn't JSON, has a field of the wrong type or a malformed time, or is too long.
    """
    if len(body) > MAX_CONFIG_BYTES:
        raise InvalidInput("invalid image configuration: it is too long", reference="bad-archive")
    file = _decode_config(body)
    for created in (file.created, *(step.created for step in file.history or ())):
        if created and not _TIME.fullmatch(created):
            raise InvalidInput(f"invalid image configuration: {created[:60]!r} is no time", reference="bad-archive")
    return file


def _decode_config(body: bytes) -> ImageConfig:
    try:
        return decode(body, ImageConfig, what="configuration")
    except PydError:
        pass
    try:
        document = msgspec.json.decode(_ESCAPE.sub(_valid_escape, _replace_deep(body)))
        if isinstance(document, dict) and isinstance(config := document.get("config"), dict):
            for key, value in config.items():
                if key.lower() in {"cmd", "entrypoint", "shell", "onbuild"} and isinstance(value, str):
                    config[key] = [value]
        return decode(msgspec.json.encode(document), ImageConfig, what="configuration")
    except (PydError, msgspec.DecodeError, RecursionError, UnicodeError) as error:
        reason = error.message.partition(": ")[2] if isinstance(error, PydError) else str(error)
        raise InvalidInput(f"invalid image configuration: {reason}", reference="bad-archive") from error


def _valid_escape(match: re.Match[bytes]) -> bytes:
    """Replace half a pair of surrogates with the replacement character, as Go does."""
    lone = len(match[0]) == 6 and match[0][1:3].lower() == b"ud"
    return rb"\ufffd" if lone else match[0]


def _replace_deep(body: bytes) -> bytes:
    """Return JSON in which anything nested too deep for a recursive decoder is replaced by null."""
    depth = 0
    parts: list[bytes] = []
    start = 0
    for match in _STRUCTURE.finditer(body):
        if match[0] in {b"[", b"{"}:
            depth += 1
            if depth == _MAX_DEPTH:
                parts.append(body[start : match.start()] + b"null")
        elif match[0] in {b"]", b"}"}:
            depth -= 1
            if depth == _MAX_DEPTH - 1:
                start = match.end()
    if depth:
        return body  # invalid JSON: the decoder reports where
    return b"".join(parts) + body[start:]


def check_diff_ids(file: ImageConfig, count: int, source: str) -> list[str]:
    """Return the diff ids after checking that there are as many as layers in the archive or manifest.

    Raises:
        InvalidInput: There are more or fewer.
    """
    if file.rootfs is None:
        raise InvalidInput("invalid image JSON, no RootFS key", reference="bad-archive")
    if len(file.diff_ids) != count:
        raise InvalidInput(
            f"{source}: invalid manifest, layers length mismatch: expected {count}, got {len(file.diff_ids)}",
            reference="bad-archive",
        )
    if sum(not step.empty_layer for step in file.history or ()) > count:
        raise InvalidInput("too many non-empty layers in History section", reference="bad-archive")
    return file.diff_ids
