"""Dockerfiles read: lines, options, variables, quotes."""

from __future__ import annotations

import pytest

from pyd_core.daemon.build.dockerfile import parse
from pyd_core.daemon.build.variables import Lexer, parse_assignments
from pyd_core.errors import InvalidInput, Unsupported


def test_lines_are_joined_and_comments_left_out():
    content = b'# comment\nFROM a AS b\n\nRUN one && \\\n  # inside\n\n  two\nrun ["x", "y z"]\n'
    content += b"COPY --from=b --chown=1:2 s d\n"
    instructions = parse(content).instructions
    assert [(step.word, step.rest, step.number) for step in instructions] == [
        ("FROM", "a AS b", 2),
        ("RUN", "one &&   two", 4),
        ("RUN", '["x", "y z"]', 8),
        ("COPY", "s d", 9),
    ]
    assert instructions[2].listed() == ["x", "y z"]
    assert instructions[3].flags == {"from": "b", "chown": "1:2"}
    assert instructions[3].shown == "COPY --from=b --chown=1:2 s d"


def test_the_escape_character_can_be_chosen():
    dockerfile = parse(b"# escape=`\nFROM a\nRUN one `\n two \\\n")
    assert dockerfile.instructions[1].rest == "one  two \\"
    assert dockerfile.escape == "`"


@pytest.mark.parametrize(
    "text", ["", "# nothing", "RUN x", "FROM", "FROM a\nNOSUCH", "FROM a\nCOPY --nosuch=1 a b", "# escape=x\nFROM a"]
)
def test_an_invalid_dockerfile_is_refused(text: str):
    with pytest.raises(InvalidInput):
        parse(text.encode())


@pytest.mark.parametrize("text", ["RUN --mount=type=bind true", "RUN <<EOF", "COPY <<-'X' /y", "COPY --link a b"])
def test_an_instruction_that_needs_buildkit_is_reported(text: str):
    with pytest.raises(Unsupported, match="requires BuildKit"):
        parse(f"FROM a\n{text}\n".encode())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b", ["a", "b"]),
        ('"a b" c', ["a b", "c"]),
        ("$A ${A}x $NONE", ["v w", "v wx", ""]),
        ("'$A' \\$A \"$A\"", ["$A", "$A", "v w"]),
        ("${NONE:-d} ${A:-d} ${E:-d} ${E-d}", ["d", "v w", "d", ""]),
        ("${A:+yes} ${NONE:+yes}", ["yes", ""]),
        ("${NONE:-${A}}", ["v w"]),
        ("a$ $", ["a$", "$"]),
        ('"a\\"b\\n"', ['a"b\\n']),
    ],
)
def test_words_have_their_variables_put_in_and_their_quotes_taken_off(text: str, words: list[str]):
    assert Lexer(text, {"A": "v w", "E": ""}).words() == words


@pytest.mark.parametrize("text", ["'a", '"a', "${A", "${A:", "${A:*x}", "${}", "${NONE:?said}", "${A:-"])
def test_an_unclosed_expression_is_refused(text: str):
    with pytest.raises(InvalidInput):
        Lexer(text, {"A": "a"}).words()


def test_assignments_have_two_forms():
    assert parse_assignments('A=1 B="x y" C=$V', {"V": "v w"}) == [("A", "1"), ("B", "x y"), ("C", "v w")]
    assert parse_assignments("A some words", {}) == [("A", "some words")]
    assert parse_assignments('"a b"="c d" e=f', {}) == [("a b", "c d"), ("e", "f")]
    assert parse_assignments(r"a\ b=c 'd e'=f", {}) == [("a b", "c"), ("d e", "f")]
    assert parse_assignments('A "b=c"', {}) == [("A", "b=c")]
    assert parse_assignments("A=b` c", {}, "`") == [("A", "b c")]
    for text in ("A=1 B", "=1"):
        with pytest.raises(InvalidInput):
            parse_assignments(text, {})
