"""The tree of a Dockerfile: instructions with their options, arguments, here-documents and positions."""

from __future__ import annotations

import msgspec

from pyd_core.dockerfile.directives import Directives
from pyd_core.dockerfile.span import LineSpan


class Heredoc(msgspec.Struct, frozen=True):
    """Here-document, as in a shell: `<<NAME`, lines, `NAME`."""

    name: str
    content: str
    is_expanded: bool
    """Whether variables in it are replaced; a quoted name prevents it."""
    is_chomped: bool
    """Whether leading tabs are removed: `<<-NAME`."""

    @property
    def data(self) -> str:
        """The content that a file gets from it."""
        if not self.is_chomped:
            return self.content
        return "".join(line.lstrip("\t") for line in self.content.splitlines(keepends=True))


class InstructionNode(msgspec.Struct, frozen=True):
    """Instruction as written; nothing in it is expanded."""

    keyword: str
    """The keyword in the file's spelling."""
    flags: tuple[str, ...]
    """Options such as `--from=build`, without quotes."""
    arguments: tuple[str, ...]
    """Arguments, split as the instruction's kind requires."""
    rest: str
    """The text after the options."""
    original: str
    """The logical line: continuations are joined, comments in it left out."""
    span: LineSpan
    is_json: bool = False
    """Whether the arguments are in the exec form, a JSON list."""
    heredocs: tuple[Heredoc, ...] = ()
    comments: tuple[str, ...] = ()
    """Comment lines directly above it, without their `#`."""
    trigger: InstructionNode | None = None
    """The instruction after ONBUILD."""
    legacy_pairs: bool = False
    """Whether ENV or LABEL separates name and value by a space."""

    @property
    def word(self) -> str:
        """The keyword in upper case."""
        return self.keyword.upper()


class DockerfileTree(msgspec.Struct, frozen=True):
    """Parsed Dockerfile."""

    instructions: tuple[InstructionNode, ...]
    directives: Directives
    lines: tuple[str, ...]
    """The file's lines, for excerpts."""
    empty_continuations: tuple[LineSpan, ...] = ()
    """Instructions with an empty line among their continuation lines."""
