"""Parser of Dockerfiles: logical lines and here-documents become instructions with positions."""

from __future__ import annotations

import msgspec

from pyd_core.dockerfile import words
from pyd_core.dockerfile.directives import parse_directives
from pyd_core.dockerfile.heredocs import starts_in
from pyd_core.dockerfile.span import LineSpan
from pyd_core.dockerfile.suggestions import did_you_mean
from pyd_core.dockerfile.tree import DockerfileTree, Heredoc, InstructionNode
from pyd_core.errors import DockerfileError

KEYWORDS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
MAX_DOCKERFILE_BYTES = 1 << 20
"""Limit for a Dockerfile."""
MAX_LINE_BYTES = (1 << 16) - 1
"""Limit for a line, as BuildKit's scanner has it."""
MAX_INSTRUCTIONS = 10_000
_HEREDOC_KEYWORDS = frozenset({"ADD", "COPY", "RUN"})
_EXEC_FORM_KEYWORDS = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL"})
_LIST_KEYWORDS = frozenset({"ADD", "COPY", "VOLUME"})


def parse_dockerfile(content: bytes, *, name: str = "Dockerfile") -> DockerfileTree:
    """Parse a Dockerfile.

    Args:
        content: The file.
        name: The file's name in errors about the file as a unit.

    Raises:
        DockerfileError: It is empty, too large or binary, or an instruction can't be read.
    """
    if len(content) > MAX_DOCKERFILE_BYTES:
        raise DockerfileError(
            f"{name} has {len(content):,} bytes; the limit is {MAX_DOCKERFILE_BYTES:,}",
            hint="-f names the Dockerfile; is it the right file?",
        )
    if b"\x00" in content:
        raise DockerfileError(f"{name} is a binary file", hint="-f names the Dockerfile; is it the right file?")
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    tree = _LineReader(lines).read()
    if not tree.instructions:
        raise DockerfileError(f"{name} is empty: file with no instructions", hint="begin with FROM")
    return tree


def parse_instruction(line: str, escape: str = "\\") -> InstructionNode:
    """Parse a single instruction, such as a trigger of a base image; here-documents follow its first line.

    Raises:
        DockerfileError: It can't be read, or there are several.
    """
    reader = _LineReader(line.split("\n"))
    reader.escape = escape
    tree = reader.read()
    if len(tree.instructions) != 1:
        raise DockerfileError("onbuild trigger should be a single expression")
    return tree.instructions[0]


class _LineReader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._index = 0
        self._directives = parse_directives(lines)
        self.escape = self._directives.escape
        self._instructions: list[InstructionNode] = []
        self._empty_continuations: list[LineSpan] = []

    def read(self) -> DockerfileTree:
        comments: list[str] = []
        while self._index < len(self._lines):
            bare = self._lines[self._index].strip()
            if bare.startswith("#"):
                comment = bare[1:].strip()
                comments = [*comments, comment] if comment else []
                self._index += 1
                continue
            if not bare:
                comments = []
                self._index += 1
                continue
            self._read_instruction(tuple(comments))
            comments = []
            if len(self._instructions) > MAX_INSTRUCTIONS:
                raise DockerfileError(f"a Dockerfile can have {MAX_INSTRUCTIONS:,} instructions", line=self._index)
        return DockerfileTree(
            instructions=tuple(self._instructions),
            directives=self._directives,
            lines=tuple(self._lines),
            empty_continuations=tuple(self._empty_continuations),
        )

    def _read_instruction(self, comments: tuple[str, ...]) -> None:
        first = self._index + 1
        line = self._logical_line()
        if not line.strip():
            return
        try:
            node = parse_node(line, self.escape)
            heredocs = self._heredocs(node, line)
        except DockerfileError as error:
            span = LineSpan(error.line, error.end_line) if error.line else LineSpan(first, self._index)
            raise DockerfileError(
                f"dockerfile parse error on line {first}: {error.message}",
                line=span.start, end_line=span.end, hint=error.hint,
            ) from None  # fmt: skip
        self._instructions.append(
            msgspec.structs.replace(node, span=LineSpan(first, self._index), heredocs=heredocs, comments=comments)
        )

    def _logical_line(self) -> str:
        """Read a line and its continuations; comments and empty lines among them are skipped."""
        first = self._index + 1
        parts: list[str] = []
        has_empty_line = False
        is_continued = True
        while is_continued and self._index < len(self._lines):
            line = self._lines[self._index]
            if len(line) > MAX_LINE_BYTES:
                raise DockerfileError(
                    f"dockerfile line greater than max allowed size of {MAX_LINE_BYTES}", line=self._index + 1
                )
            self._index += 1
            bare = line.strip()
            if parts and bare.startswith("#"):
                continue
            if parts and not bare:
                if self._index == len(self._lines):
                    break  # the end of the file after its last line feed
                has_empty_line = True
                continue
            part, is_continued = self._without_continuation(line if parts else line.lstrip())
            parts.append(part)
        if has_empty_line:
            self._empty_continuations.append(LineSpan(first, self._index))
        return "".join(parts)

    def _without_continuation(self, line: str) -> tuple[str, bool]:
        bare = line.rstrip(" \t")
        if not bare.endswith(self.escape) or bare.endswith(self.escape * 2):
            return line, False
        return bare[:-1], True

    def _heredocs(self, node: InstructionNode, line: str) -> tuple[Heredoc, ...]:
        holder = node.trigger or node
        if holder.word not in _HEREDOC_KEYWORDS or holder.is_json or "<<" not in line:
            return ()
        heredocs: list[Heredoc] = []
        for start in starts_in(line):
            content: list[str] = []
            while self._index < len(self._lines):
                text = self._lines[self._index]
                is_last = self._index == len(self._lines) - 1
                self._index += 1
                if (text.lstrip("\t") if start.is_chomped else text) == start.name:
                    break
                if is_last:
                    raise DockerfileError("unterminated heredoc", hint=f"end it with a line {start.name}")
                content.append(f"{text}\n")
            else:
                raise DockerfileError("unterminated heredoc", hint=f"end it with a line {start.name}")
            heredocs.append(
                Heredoc(start.name, "".join(content), is_expanded=start.is_expanded, is_chomped=start.is_chomped)
            )
        return tuple(heredocs)


def parse_node(line: str, escape: str) -> InstructionNode:
    """Parse a logical line.

    Raises:
        DockerfileError: The instruction is unknown, or its arguments can't be split.
    """
    keyword, text = words.split_keyword(line)
    word = keyword.upper()
    if word not in KEYWORDS:
        raise DockerfileError(f"unknown instruction: {keyword[:60]}{did_you_mean(word, KEYWORDS)}")
    flags, rest = words.split_flags(text)
    rest = rest.strip()
    node = InstructionNode(keyword, flags, (), rest, line, LineSpan(0, 0))
    listed: tuple[str, ...] | None = None
    trigger: InstructionNode | None = None
    legacy = False
    if word == "ONBUILD":
        if rest:
            trigger = parse_node(rest, escape)
        arguments: tuple[str, ...] = (trigger.word, *trigger.arguments) if trigger else ()
    elif word == "HEALTHCHECK":
        kind, command = words.split_keyword(rest) if rest else ("", "")
        listed = words.parse_json_list(command)
        arguments = (kind, *(listed if listed is not None else ((command,) if command else ()))) if kind else ()
    elif word in _EXEC_FORM_KEYWORDS:
        listed = words.parse_json_list(rest)
        arguments = listed if listed is not None else ((rest,) if rest else ())
    elif word in _LIST_KEYWORDS:
        listed = words.parse_json_list(rest)
        arguments = listed if listed is not None else words.split_whitespace(rest)
    elif word in {"ENV", "LABEL"}:
        arguments, legacy = _pairs(rest, word, escape)
    elif word == "ARG":
        arguments = words.split_words(rest, escape)
    elif word in {"EXPOSE", "FROM"}:
        arguments = words.split_whitespace(rest)
    else:
        arguments = (rest,) if rest else ()
    return InstructionNode(
        keyword=node.keyword, flags=flags, arguments=arguments, rest=rest, original=line, span=node.span,
        is_json=listed is not None, trigger=trigger, legacy_pairs=legacy,
    )  # fmt: skip


def _pairs(rest: str, word: str, escape: str) -> tuple[tuple[str, ...], bool]:
    """Return names and values in turn, and whether they are in the older form `ENV NAME VALUE`."""
    parts = words.split_words(rest, escape)
    if not parts:
        return (), False
    if "=" not in parts[0]:
        name, *value = words.WHITESPACE.split(rest, maxsplit=1)
        if not value:
            raise DockerfileError(f"{word} must have two arguments", hint=f"{word} NAME=VALUE")
        return (name, value[0]), True
    pairs: list[str] = []
    for part in parts:
        name, equals, text = part.partition("=")
        if not equals:
            raise DockerfileError(
                f"Syntax error - can't find = in {part[:80]!r}. Must be of the form: name=value",
                hint="quote a value with spaces",
            )
        pairs += (name, text)
    return tuple(pairs), False
