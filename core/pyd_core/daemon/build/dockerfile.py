"""Dockerfile parser: logical lines, parser directives, and the options of instructions.

The format is that of the Dockerfile reference in Docker's documentation; features of BuildKit are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyd_core.daemon.images.changes import parse_exec_form
from pyd_core.errors import InvalidInput, Unsupported

INSTRUCTIONS = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
MAX_DOCKERFILE_BYTES = 1 << 20
"""Limit for a Dockerfile."""

_FLAGS = {
    "FROM": {"platform"},
    "COPY": {"from", "chown", "chmod"},
    "ADD": {"chown", "chmod", "checksum"},
    "RUN": set[str](),
}
_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(\S+)\s*$")
_FLAG = re.compile(r"--([\w-]+)(?:=(\S*))?(?:\s+|$)")
_HEREDOC = re.compile(r"(?:^|\s)\d?<<-?['\"]?\w+")


@dataclass(frozen=True)
class Instruction:
    """Instruction of a Dockerfile."""

    word: str
    """Keyword in upper case."""
    rest: str
    """Text after the keyword and its options, as written."""
    number: int
    """Number of its first line, from 1."""
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The text for progress."""
        flags = "".join(f"--{name}={value} " for name, value in self.flags.items())
        return f"{self.word} {flags}{self.rest}"

    def listed(self) -> list[str] | None:
        """Return its arguments in the exec form, a JSON list of texts; None for other forms."""
        return parse_exec_form(self.rest)


@dataclass(frozen=True)
class Dockerfile:
    """Parsed Dockerfile."""

    instructions: list[Instruction]
    escape: str
    """The character that continues lines and escapes others, `\\` or a back quote."""


def parse(content: bytes) -> Dockerfile:
    """Parse a Dockerfile.

    Raises:
        InvalidInput: It is empty, has an unknown instruction, or doesn't start with FROM.
        Unsupported: It requires BuildKit.
    """
    if len(content) > MAX_DOCKERFILE_BYTES:
        raise InvalidInput("the Dockerfile is too long")
    lines = content.decode("utf-8-sig", "replace").splitlines()
    escape = _escape(lines)
    instructions = [instruction(text, number) for number, text in _logical_lines(lines, escape)]
    if not instructions:
        raise InvalidInput("the Dockerfile is empty")
    first = next((step for step in instructions if step.word != "ARG"), None)
    if first is None or first.word != "FROM":
        line = first.number if first else 1
        raise InvalidInput(f"dockerfile parse error on line {line}: no build stage in current context: begin with FROM")
    return Dockerfile(instructions, escape)


def _escape(lines: list[str]) -> str:
    for line in lines:
        match = _DIRECTIVE.match(line)
        if match is None:
            break
        if match[1].lower() == "escape":
            if match[2] not in {"\\", "`"}:
                raise InvalidInput(f"dockerfile parse error: escape is one of \\ and `, not {match[2][:20]!r}")
            return match[2]
    return "\\"


def _logical_lines(lines: list[str], escape: str) -> Iterator[tuple[int, str]]:
    """Yield each logical line and its number; comments and empty lines inside one are skipped."""
    text, first_number = "", 0
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        first_number = first_number or number
        part = line.rstrip() if text else bare
        if part.endswith(escape):
            text += part[:-1]
            continue
        yield first_number, (text + part).strip()
        text, first_number = "", 0
    if text.strip():
        yield first_number, text.strip()


def instruction(text: str, number: int) -> Instruction:
    """Parse a logical line.

    Raises:
        InvalidInput: The instruction is unknown, or an argument is missing.
        Unsupported: It requires BuildKit.
    """
    word, _, rest = text.partition(" ") if "\t" not in text.split(" ", 1)[0] else text.partition("\t")
    word, rest = word.upper(), rest.strip()
    if word not in INSTRUCTIONS:
        raise InvalidInput(f"dockerfile parse error on line {number}: unknown instruction: {word[:40]}")
    flags: dict[str, str] = {}
    if word in _FLAGS:
        while match := _FLAG.match(rest):
            if match[1] not in _FLAGS[word]:
                _refuse_flag(word, match[1], number)
            if match[1] in flags:
                raise InvalidInput(f"dockerfile parse error on line {number}: Duplicate flag specified: {match[1]}")
            flags[match[1]], rest = match[2] or "", rest[match.end() :]
        if word != "FROM" and not rest.startswith("[") and _HEREDOC.search(rest):
            raise _needs_buildkit(number, f"{word} with a here-document")
    if not rest and word != "CMD":
        raise InvalidInput(f"dockerfile parse error on line {number}: {word} requires at least one argument")
    return Instruction(word, rest, number, flags)


def _refuse_flag(word: str, name: str, number: int) -> None:
    if name in {"mount", "network", "security", "link", "parents", "exclude", "keep-git-dir"}:
        raise _needs_buildkit(number, f"{word} --{name}")
    raise InvalidInput(f"dockerfile parse error on line {number}: unknown flag: --{name[:40]}")


def _needs_buildkit(number: int, what: str) -> Unsupported:
    return Unsupported(
        f"dockerfile parse error on line {number}: {what} requires BuildKit, which this engine doesn't have",
        hint="write it with RUN, COPY and stages, which the classic builder knows",
        reference="needs-buildkit",
    )
