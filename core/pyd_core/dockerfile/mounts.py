"""Mounts of RUN: `--mount=type=cache,target=/root/.cache,sharing=locked`."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

import msgspec

from pyd_core.dockerfile.suggestions import did_you_mean
from pyd_core.errors import DockerfileError, InvalidInput
from pyd_core.gosyntax.booleans import BOOLS
from pyd_core.gosyntax.sizes import parse_size

TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING = ("shared", "private", "locked")
KEYS = (
    *("type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro", "readwrite", "rw", "required"),
    *("id", "sharing", "mode", "uid", "gid", "size", "env"),
)
_ALIASES = {"from": "stage", "src": "source", "dst": "target", "destination": "target"}
_FLAG_KEYS = frozenset({"readonly", "ro", "readwrite", "rw", "required"})
_VARIABLE = re.compile(r"\$.")
_MAX_ID = (1 << 32) - 1


class MountText(msgspec.Struct, frozen=True):
    """Mount option as written; its values may have variables, except `from`."""

    fields: tuple[str, ...]
    stage: str
    """The `from` key: a stage, an image or a named context."""

    @property
    def kind(self) -> str:
        """The `type` key, in lower case."""
        values = [field.partition("=")[2] for field in self.fields if field.lower().startswith("type=")]
        return values[-1].lower() if values else "bind"


class MountOptions(msgspec.Struct, kw_only=True):
    """Values of a mount."""

    type: str = "bind"
    stage: str = ""
    source: str = ""
    target: str = ""
    is_read_only: bool = False
    is_required: bool = False
    id: str = ""
    sharing: str = ""
    size: int = 0
    """Bytes; 0 is no limit."""
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    env: str | None = None
    """Environment variable for a secret."""


def split_mount(text: str) -> MountText:
    """Split a mount option into its fields.

    Raises:
        DockerfileError: It is not comma-separated values, or `from` has a variable.
    """
    try:
        fields = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise DockerfileError(f"failed to parse csv mounts: {error}") from None
    stage = ""
    for field in fields:
        key, equals, value = field.partition("=")
        if key.lower() not in KEYS:
            raise DockerfileError(
                f"unexpected key '{key[:60]}' in '{field[:80]}'{did_you_mean(key, KEYS)}"
                if equals else f"invalid field '{field[:80]}' must be a key=value pair"
            )  # fmt: skip
        if key.lower() == "from":
            if _VARIABLE.search(value):
                raise DockerfileError(
                    "'from' doesn't support variable expansion, define alias stage instead",
                    hint="FROM ${NAME} AS alias, with ARG NAME before the first FROM",
                )
            stage = value
    return MountText(tuple(fields), stage)


def parse_mount(mount: MountText, expand: Callable[[str], str]) -> MountOptions:
    """Return a mount's values.

    Args:
        mount: The option as written.
        expand: Replaces the variables in a value.

    Raises:
        DockerfileError: A key is unknown or doesn't fit the type, or a value is not allowed.
    """
    options = MountOptions()
    read_only: bool | None = None
    for field in mount.fields:
        key, equals, value = field.partition("=")
        key = key.lower()
        if not equals and key not in _FLAG_KEYS:
            raise DockerfileError(f"invalid field '{field[:80]}' must be a key=value pair")
        value = expand(value)
        if key in {"readonly", "ro"}:
            read_only = _boolean(key, value) if equals else True
        elif key in {"readwrite", "rw"}:
            read_only = not (_boolean(key, value) if equals else True)
        elif key == "required":
            _only_for(options, key, ("secret", "ssh"))
            options.is_required = _boolean(key, value) if equals else True
        else:
            _set(options, key, value)
    _check(options)
    options.is_read_only = options.type not in {"cache", "tmpfs"} if read_only is None else read_only
    return options


def _set(options: MountOptions, key: str, value: str) -> None:
    key = _ALIASES.get(key, key)
    if key == "type":
        options.type = _choice("unsupported mount type", value, TYPES)
    elif key == "sharing":
        options.sharing = _choice("unsupported sharing value", value, SHARING)
    elif key == "size":
        _only_for(options, key, ("tmpfs",))
        try:
            options.size = parse_size(value)
        except InvalidInput:
            raise DockerfileError(f"invalid value for size: {value[:60]}", hint="write it as 64m or 1g") from None
    elif key in {"mode", "uid", "gid"}:
        setattr(options, key, _number(key, value, 8 if key == "mode" else 10))
    elif key in {"stage", "source", "target", "id", "env"}:
        setattr(options, key, value)
    else:
        raise DockerfileError(f"unexpected key '{key[:60]}'{did_you_mean(key, KEYS)}")


def _choice(message: str, value: str, allowed: Sequence[str]) -> str:
    if value.lower() not in allowed:
        raise DockerfileError(f'{message} "{value[:60]}"{did_you_mean(value, allowed)}', hint=", ".join(allowed))
    return value.lower()


def _boolean(key: str, value: str) -> bool:
    if value not in BOOLS:
        raise DockerfileError(f"invalid value for {key}: {value[:60]}", hint="write true or false")
    return BOOLS[value]


def _number(key: str, value: str, base: int) -> int:
    digits = "01234567" if base == 8 else "0123456789"
    if not value or len(value) > 11 or set(value) - set(digits) or (number := int(value, base)) > _MAX_ID:
        raise DockerfileError(f"invalid value {value[:60]} for {key}")
    return number


def _only_for(options: MountOptions, key: str, types: Sequence[str]) -> None:
    if options.type not in types:
        raise DockerfileError(
            f"unexpected key '{key}' for mount type '{options.type}'",
            hint=f"it is for {' and '.join(types)}, after type=",
        )


def _check(options: MountOptions) -> None:
    if options.type not in {"secret", "ssh", "cache"}:
        for key, value in (("mode", options.mode), ("uid", options.uid), ("gid", options.gid)):
            if value is not None:
                raise DockerfileError(f'{key} not allowed for "{options.type}" type mounts')
    if options.env is not None and options.type != "secret":
        raise DockerfileError(f"env not allowed for {options.type} mount")
    if options.type == "secret":
        if options.stage:
            raise DockerfileError("secret mount should not have a from")
        if not (options.source or options.target or options.id):
            raise DockerfileError("invalid secret mount. one of source, target required")
        if options.source and options.id:
            raise DockerfileError("both source and id can't be set")
    if options.sharing and options.type != "cache":
        raise DockerfileError(f"invalid cache sharing set for {options.type} mount")
    if options.type not in {"secret", "ssh"} and not options.target:
        raise DockerfileError(f"{options.type} mount needs a target", hint="target=/path")
