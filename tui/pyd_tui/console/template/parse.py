"""Parser of templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.console.template.functions import FUNCTIONS
from pyd_tui.console.template.nodes import Chain, Function, Literal, Node, Pipe, Show, TemplateBlock, Term, Text

_ACTION = re.compile(r"\{\{(- )?(.*?)( -)?\}\}", re.DOTALL)
_COMMENT = re.compile(r"\s*/\*.*?\*/\s*", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
      | (?P<number>[-+]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?))
      | (?P<variable>\$\w*)
      | (?P<field>\.[^\W\d]\w*)
      | (?P<dot>\.)
      | (?P<word>[^\W\d]\w*)
      | (?P<sign>:=|[()|=,])
    )""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "nil": None}
BLOCKS = frozenset({"if", "with", "range"})
MAX_DEPTH = 50
"""Nested blocks and parentheses; far more than users type."""


class TemplateToken(NamedTuple):
    """A token of an action; `spaced` says whether a space precedes it, which ends a chain of fields."""

    kind: str
    text: str
    spaced: bool


def parse(source: str) -> list[Node]:
    """Parse a template.

    Raises:
        InvalidInput: The template is malformed, or uses an unsupported feature.
    """
    return _Parser(source).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._pieces = _pieces(source)
        self._depth = 0

    def whole(self) -> list[Node]:
        nodes, end = self._body()
        if end:
            raise self._wrong(f"unexpected {{{{{end}}}}}")
        return nodes

    def _body(self) -> tuple[list[Node], str]:
        """Read up to `end` or `else`, and returns it with its condition."""
        nodes: list[Node] = []
        for is_action, text in self._pieces:
            if not is_action:
                nodes.append(Text(text))
                continue
            word, _, rest = text.strip().partition(" ")
            if word in {"end", "else"}:
                return nodes, text.strip()
            nodes.append(self._block(word, rest) if word in BLOCKS else Show(self._pipe(text)))
        return nodes, ""

    def _block(self, kind: str, condition: str) -> TemplateBlock:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong("too many nested blocks")
        block = TemplateBlock(kind, self._pipe(condition))
        block.body, end = self._body()
        word, _, rest = end.partition(" ")
        if word == "else":
            inner, _, condition = rest.strip().partition(" ")
            if inner in BLOCKS:
                block.otherwise = [self._block(inner, condition)]
                self._depth -= 1
                return block
            block.otherwise, end = self._body()
        if end != "end":
            raise self._wrong("a block without {{end}}")
        self._depth -= 1
        return block

    def _pipe(self, text: str) -> Pipe:
        tokens = self._tokens(text)
        names, declares = self._names(tokens)
        pipe = self._commands(tokens, names=names, declares=declares)
        if tokens:
            raise self._wrong(f"unexpected {tokens[0].text!r}")
        return pipe

    def _names(self, tokens: list[TemplateToken]) -> tuple[tuple[str, ...], bool]:
        signs = [index for index, token in enumerate(tokens) if token.text in {":=", "="} and token.kind == "sign"]
        if not signs:
            return (), True
        before, sign = tokens[: signs[0]], tokens[signs[0]].text
        del tokens[: signs[0] + 1]
        names = tuple(token.text for token in before if token.kind == "variable")
        if not names or any(token.kind != "variable" and token.text != "," for token in before):
            raise self._wrong("only variables can be assigned")
        return names, sign == ":="

    def _commands(self, tokens: list[TemplateToken], *, names: tuple[str, ...] = (), declares: bool = True) -> Pipe:
        commands: list[tuple[Term, ...]] = []
        terms: list[Term] = []
        while tokens and tokens[0].text != ")":
            if tokens[0].kind == "sign" and tokens[0].text == "|":
                tokens.pop(0)
                commands.append(tuple(terms))
                terms = []
            else:
                terms.append(self._term(tokens))
        commands.append(tuple(terms))
        if not all(commands):
            raise self._wrong("a value is missing")
        return Pipe(tuple(commands), names, declares)

    def _term(self, tokens: list[TemplateToken]) -> Term:  # noqa: PLR0911 - one for each
        token = tokens.pop(0)
        match token.kind:
            case "string":
                return Literal(_unquoted(token.text))
            case "number":
                return Literal(float(token.text) if "." in token.text else int(token.text, 0))
            case "variable":
                return Chain(token.text, self._fields(tokens))
            case "field":
                return Chain(None, (token.text[1:], *self._fields(tokens)))
            case "dot":
                return Chain(None, ())
            case "word" if token.text in _CONSTANTS:
                return Literal(_CONSTANTS[token.text])
            case "word" if token.text in FUNCTIONS:
                return Function(token.text)
            case "sign" if token.text == "(":
                return self._inner(tokens)
            case "word":
                raise self._wrong(f"function {token.text!r} not defined")
            case _:
                raise self._wrong(f"unexpected {token.text!r}")

    def _inner(self, tokens: list[TemplateToken]) -> Chain:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong("too many nested parentheses")
        inner = self._commands(tokens)
        if not tokens:
            raise self._wrong("unclosed parenthesis")
        tokens.pop(0)
        self._depth -= 1
        return Chain(inner, self._fields(tokens))

    @staticmethod
    def _fields(tokens: list[TemplateToken]) -> tuple[str, ...]:
        names = []
        while tokens and tokens[0].kind == "field" and not tokens[0].spaced:
            names.append(tokens.pop(0).text[1:])
        return tuple(names)

    def _tokens(self, text: str) -> list[TemplateToken]:
        tokens, offset = [], 0
        text = text.rstrip()
        while offset < len(text):
            match = _TOKEN.match(text, offset)
            if match is None or match.lastgroup is None:
                raise self._wrong(f"unexpected {text[offset:].strip()[:20]!r}")
            start = match.start(match.lastgroup)
            tokens.append(TemplateToken(match.lastgroup, match[match.lastgroup], start > offset))
            offset = match.end()
        return tokens

    def _wrong(self, what: str) -> InvalidInput:
        return InvalidInput(
            f"can't read the template {safe(self._source)!r}: {safe(what)}",
            hint="for example: --format '{{.Names}}\\t{{.Status}}' or --format '{{json .}}'",
            reference="bad-template",
        )


def _pieces(source: str) -> Iterator[tuple[bool, str]]:
    """Yield text and actions in order, with spaces trimmed at `{{-` and `-}}`."""
    offset, trim = 0, False
    for match in _ACTION.finditer(source):
        text = source[offset : match.start()]
        text = text.lstrip() if trim else text
        text = text.rstrip() if match[1] else text
        if text:
            yield False, text
        if not _COMMENT.fullmatch(match[2]):
            yield True, match[2]
        offset, trim = match.end(), bool(match[3])
    rest = source[offset:].lstrip() if trim else source[offset:]
    if "{{" in rest:
        raise InvalidInput(
            f"can't read the template {safe(source)!r}: {{{{ without }}}}", reference="bad-template", hint="close it"
        )
    if rest:
        yield False, rest


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), text[1:-1])
