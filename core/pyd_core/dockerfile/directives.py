"""Parser directives at the top of a Dockerfile: `syntax`, `escape` and `check`."""

from __future__ import annotations

import re

import msgspec

from pyd_core.dockerfile.span import NOWHERE, LineSpan
from pyd_core.errors import DockerfileError

_DIRECTIVE = re.compile(r"^\s*#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_FOREIGN_DIRECTIVE = re.compile(r"^\s*//\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
_KNOWN = frozenset({"syntax", "escape", "check"})
_BUILT_IN_SYNTAX = re.compile(
    r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?"
)
DEFAULT_ESCAPE = "\\"


class Directives(msgspec.Struct, frozen=True):
    """Values of the parser directives."""

    escape: str = DEFAULT_ESCAPE
    """The character that continues lines and escapes others, `\\` or a back quote."""
    syntax: str = ""
    """The front end that the file requests, an image reference."""
    check: str = ""
    """Options of the checks: `skip=A,B;error=true`."""
    syntax_span: LineSpan = NOWHERE


def parse_directives(lines: list[str]) -> Directives:
    """Parse the directives before the first comment, empty line or instruction.

    Raises:
        DockerfileError: A directive is repeated, or its value is not allowed.
    """
    values: dict[str, str] = {}
    spans: dict[str, LineSpan] = {}
    for number, line in enumerate(lines, 1):
        match = _DIRECTIVE.match(line)
        name = match[1].lower() if match else ""
        if match is None or name not in _KNOWN:
            break
        if name in values:
            raise DockerfileError(f"only one {name} parser directive can be used", line=number)
        if name == "escape" and match[2] not in {"\\", "`"}:
            raise DockerfileError(
                f"invalid escape token {match[2][:20]!r} does not match ` or \\", line=number, hint="# escape=`"
            )
        values[name], spans[name] = match[2], LineSpan(number, number)
    return Directives(
        escape=values.get("escape", DEFAULT_ESCAPE),
        syntax=values.get("syntax", ""),
        check=values.get("check", ""),
        syntax_span=spans.get("syntax", NOWHERE),
    )


def is_built_in_syntax(syntax: str) -> bool:
    """Return whether a `syntax` directive names the Dockerfile front end that pyd has built in."""
    return _BUILT_IN_SYNTAX.fullmatch(syntax.split(" ", 1)[0]) is not None


def requested_syntax(text: bytes) -> tuple[str, LineSpan]:
    """Return the front end that a file requests, and the line, or an empty text.

    BuildKit also reads `// syntax=` and a first line `{"syntax": …}`, which files of other languages have.
    """
    lines = text[: 1 << 16].decode("utf-8-sig", "replace").splitlines()
    if lines and lines[0].startswith("#!"):
        lines[0] = ""
        first = 1
    else:
        first = 0
    for pattern in (_DIRECTIVE, _FOREIGN_DIRECTIVE):
        for number, line in enumerate(lines[first:], first + 1):
            match = pattern.match(line)
            if match is None:
                break
            if match[1].lower() == "syntax":
                return match[2], LineSpan(number, number)
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return "", NOWHERE
    syntax = document.get("syntax") if isinstance(document, dict) else None
    return (syntax, LineSpan(1, 1)) if isinstance(syntax, str) else ("", NOWHERE)
