"""The environment of a process of the target, with secrets hidden."""

from __future__ import annotations

import re

import msgspec

from pyd_core.debug.access import Access
from pyd_core.model.container import Container

MASK = "••••••"

_SECRET_NAME = re.compile(
    r"(?i)(^|[_.-])(pass(word|wd|phrase)?|pwd|secrets?|tokens?|credentials?|auth|api_?key|private_?key|access_?key|"
    r"signing_?key|encryption_?key|key|dsn|salt|cookie|pat)([_.-]|$)|password|secret|apikey"
)
_SECRET_VALUE = re.compile(
    r"(?<![a-z0-9+.-])(?P<head>[a-z0-9+.-]++://[^/\s:@]*:)[^@\s/]+(?P<tail>@)"  # a URL with a password
)
_HARMLESS = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK"})


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable."""

    name: str
    value: str
    masked: bool = False
    """True where the value was left out because it looks secret."""
    configured: bool | None = None
    """True where the container's configuration sets it to this; None for a process without a container."""


def read_variables(access: Access, host_pid: int, *, show: bool = False) -> list[Variable]:
    """Return the variables a process was started with, by name.

    Args:
        access: The target.
        host_pid: The process.
        show: Secrets too.
    """
    data = access.proc(host_pid, "environ", limit=4 << 20)
    pairs = [part.decode(errors="replace").partition("=") for part in data.split(b"\0") if part]
    configured = set(access.container.config.env) if access.container.id else None
    return sorted(
        (_variable(name, value, configured, show=show) for name, _, value in pairs), key=lambda variable: variable.name
    )


def mask(name: str, value: str) -> str:
    """Return a value with what looks secret in it left out."""
    if value and name not in _HARMLESS and _SECRET_NAME.search(name):
        return MASK
    return _SECRET_VALUE.sub(rf"\g<head>{MASK}\g<tail>", value)


def _variable(name: str, value: str, configured: set[str] | None, *, show: bool) -> Variable:
    shown = value if show else mask(name, value)
    return Variable(
        name=name,
        value=shown,
        masked=shown != value,
        configured=None if configured is None else f"{name}={value}" in configured,
    )


def configured_variables(container: Container, *, show: bool = False) -> list[Variable]:
    """Return the variables that a container's main process would get from its configuration, by name."""
    pairs = (entry.partition("=") for entry in container.config.env)
    known = set(container.config.env)
    return sorted(
        (_variable(name, value, known, show=show) for name, _, value in pairs), key=lambda variable: variable.name
    )
