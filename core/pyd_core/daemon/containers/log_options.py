"""The options `--log-driver` and `--log-opt`: how much of a log is kept, as by json-file and local, or nothing.

Rules and words are Docker Engine's (daemon/logger/jsonfilelog, daemon/logger/local).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote_plus

from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.booleans import BOOLS
from pyd_core.gosyntax.durations import MAX_DIGITS
from pyd_core.model.host_config import LogConfig
from pyd_core.regex import Pattern, compile_pattern

_COMMON = {"max-size", "max-file", "compress", "mode", "max-buffer-size"}
_KNOWN = {
    "json-file": _COMMON | {"labels", "labels-regex", "env", "env-regex", "tag"},
    "local": _COMMON,
}
NONE = "none"
"""The driver that keeps nothing."""
DRIVERS = (*_KNOWN, NONE)
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?(?:([kmgtp])i?b?|b)?", re.IGNORECASE)
_FIELD = re.compile(r"\{\{ *\.(\w+) *\}\}")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
"""Docker Engine counts the sizes of logs in powers of ten."""


@dataclass(frozen=True)
class LogLimits:
    """The limits of a container's log: the number of files and their approximate size; a size of 0 is no limit."""

    size: int = 0
    files: int = 1
    compress: bool = False
    """Whether the older files are packed."""

    @classmethod
    def read(cls, config: LogConfig) -> LogLimits:
        """Read options that were checked at the creation, by this engine or an older one.

        Raises:
            InvalidInput: A number makes no sense.
        """
        if config.type == NONE:
            return cls()
        options = config.config
        local = config.type == "local"
        size = options.get("max-size") or ("20971520" if local else "")
        files = options.get("max-file") or ("5" if local else "1")
        most = _files(files)
        if not size:
            return cls()
        compress = BOOLS.get(options.get("compress", ""), local)
        return cls(_size(size), most, compress and most > 1)


def check(config: LogConfig) -> None:
    """Refuse invalid options.

    Raises:
        InvalidInput: An option isn't known, has a value of another kind, or doesn't go with the others.
    """
    driver, options = config.type or "json-file", config.config
    if driver not in DRIVERS:
        raise InvalidInput(f'error looking up logging plugin {driver[:60]}: plugin "{driver[:60]}" not found')
    if driver == NONE:
        return
    for name in options:
        if name not in _KNOWN[driver]:
            raise InvalidInput(f"unknown log opt '{name[:40]}' for {driver} log driver")
    for text in filter(None, (options.get(name) for name in ("labels-regex", "env-regex"))):
        _pattern(text)
    mode = options.get("mode", "")
    if mode not in {"", "blocking", "non-blocking"}:
        raise InvalidInput(f"logger: logging mode not supported: {mode[:40]}")
    if options.get("max-buffer-size"):
        if mode != "non-blocking":
            raise InvalidInput("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
        _size(options["max-buffer-size"])
    limits = LogLimits.read(config)
    if "compress" not in options:
        return
    if options["compress"] not in BOOLS:
        raise InvalidInput(f"invalid value for compress: {options['compress'][:40]!r} is neither true nor false")
    if BOOLS[options["compress"]] and not limits.compress:
        raise InvalidInput("compress cannot be true when max-file is less than 2 or max-size is not set")


def details(record: ContainerRecord) -> bytes:
    """Return the attributes of each line, as `docker logs --details` shows them: `NAME=VALUE,…`, escaped as in URLs."""
    options = record.host.log_config.config
    labels = record.config.labels
    env = dict(variable.split("=", 1) for variable in record.config.env if "=" in variable)
    attributes = {
        **_chosen(labels, options.get("labels", ""), options.get("labels-regex", "")),
        **_chosen(env, options.get("env", ""), options.get("env-regex", "")),
    }
    tag = _tag(record, options.get("tag", ""))
    if tag:
        attributes["tag"] = tag
    return ",".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in sorted(attributes.items())).encode()


def _chosen(values: Mapping[str, str], names: str, pattern: str) -> dict[str, str]:
    selected = set(names.split(",")) if names else set()
    attributes = {name: value for name, value in values.items() if name in selected}
    if pattern:
        fits = _pattern(pattern)
        attributes |= {name: value for name, value in values.items() if fits.search(name)}
    return attributes


def _pattern(text: str) -> Pattern:
    try:
        return compile_pattern(text)
    except InvalidInput as error:
        raise InvalidInput(f"error parsing regexp: {error.message}") from error


def _tag(record: ContainerRecord, template: str) -> str:
    """Fill in the tag's fields; unknown ones stay as they are."""
    known = {
        "ID": record.id[:12],
        "FullID": record.id,
        "Name": record.name,
        "ImageName": record.image,
        "ImageID": record.image_id.removeprefix("sha256:")[:12],
        "ImageFullID": record.image_id,
        "DaemonName": "docker",
    }
    return _FIELD.sub(lambda field: known.get(field[1], field[0]), template)


def _files(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text) or len(text) > MAX_DIGITS:
        raise InvalidInput(f"invalid value for max-file: {text[:40]!r} is no number")
    if int(text) < 1:
        raise InvalidInput("max-file cannot be less than 1")
    return int(text)


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None or len(text) > MAX_DIGITS + 4:
        raise InvalidInput(f"invalid size: '{text[:40]}'")
    size = int(float(match[1]) * 1000 ** _POWERS[(match[2] or "").lower()])
    if size == 0:
        raise InvalidInput("max-size must be a positive number")
    return size
