"""Dockerfiles parsed: lines, continuations, here-documents, directives, positions and errors."""

from __future__ import annotations

import pytest

from pyd_core.dockerfile.instructions import CopyInstruction, HealthcheckInstruction, OnbuildInstruction, RunInstruction
from pyd_core.dockerfile.parser import MAX_DOCKERFILE_BYTES, parse_dockerfile
from pyd_core.dockerfile.span import LineSpan
from pyd_core.dockerfile.stages import divide
from pyd_core.dockerfile.tree import InstructionNode
from pyd_core.errors import DockerfileError


def nodes(text: str) -> tuple[InstructionNode, ...]:
    return parse_dockerfile(text.encode()).instructions


def test_lines_are_joined_and_comments_left_out():
    parsed = nodes('# c\nFROM a AS b\n\nRUN one && \\\n  # inside\n\n  two\n\trun ["x", "y z"]\r\n')
    assert [(node.word, node.rest, node.span) for node in parsed] == [
        ("FROM", "a AS b", LineSpan(2, 2)),
        ("RUN", "one &&   two", LineSpan(4, 7)),
        ("RUN", '["x", "y z"]', LineSpan(8, 8)),
    ]
    assert parsed[2].arguments == ("x", "y z")
    assert parsed[2].is_json


def test_an_empty_continuation_line_is_noted():
    tree = parse_dockerfile(b"FROM a\nRUN x \\\n\n  y\n")
    assert tree.empty_continuations == (LineSpan(2, 4),)


def test_the_escape_character_can_be_chosen():
    tree = parse_dockerfile(b"# escape=`\n# syntax = docker/dockerfile:1\nFROM a\nRUN one `\n two \\\n")
    assert tree.instructions[1].rest == "one  two \\"
    assert tree.directives.syntax == "docker/dockerfile:1"


def test_here_documents_keep_their_lines_and_end_at_their_name():
    text = 'FROM a\nCOPY --chown=1 <<EOF <<-"X" f /d/\n$a\n# no comment\nEOF\n\ttab\n\tX\nRUN <<E\necho\nE\nUSER u\n'
    copy, run = divide(parse_dockerfile(text.encode())).stages[0].instructions[:2]
    assert isinstance(copy, CopyInstruction)
    assert [(document.name, document.data, document.is_expanded) for document in copy.documents] == [
        ("EOF", "$a\n# no comment\n", True),
        ("X", "tab\n", False),
    ]
    assert (copy.sources, copy.destination, copy.span) == (("f",), "/d/", LineSpan(2, 7))
    assert isinstance(run, RunInstruction)
    assert run.heredocs[0].content == "echo\n"


def test_a_trigger_keeps_its_here_document():
    instruction = divide(parse_dockerfile(b"FROM a\nONBUILD COPY <<A /b\nx\nA\n")).stages[0].instructions[0]
    assert isinstance(instruction, OnbuildInstruction)
    assert instruction.expression == "COPY <<A /b\nx\nA"


def test_a_health_check_has_its_times():
    text = b"FROM a\nHEALTHCHECK --interval=1m --start-interval=5s --retries=2 CMD curl x\n"
    check = divide(parse_dockerfile(text)).stages[0].instructions[0]
    assert isinstance(check, HealthcheckInstruction)
    assert check.health.test == ["CMD-SHELL", "curl x"]
    assert (check.health.interval, check.health.start_interval, check.health.retries) == (60 * 10**9, 5 * 10**9, 2)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "empty"),
        ("# only a comment", 0, "empty"),
        ("FROM a\nRUNN x", 2, "unknown instruction: RUNN (did you mean RUN?)"),
        ("RUN x", 1, "no build stage"),
        ("FROM", 1, "FROM requires either one or three arguments"),
        ("FROM a b", 1, "FROM requires either one or three"),
        ("FROM a AS 1x", 1, "invalid name for build stage"),
        ("FROM a\n\nCOPY --form=b c d", 3, "unknown flag: --form (did you mean --from?)"),
        ("FROM a\nCOPY --from=b --from=c d e", 2, "duplicate flag specified: --from"),
        ("FROM a\nCOPY --link=maybe d e", 2, "expecting boolean value for flag --link"),
        ("FROM a\nCOPY x", 2, "requires at least two arguments"),
        ("FROM a\nRUN <<EOF\nx\n", 2, "unterminated heredoc"),
        ("FROM a\nENV x", 2, "ENV must have two arguments"),
        ("FROM a\nENV x=1 y", 2, "can't find ="),
        ("FROM a\nSHELL /bin/sh", 2, "JSON form"),
        ("FROM a\nCMD [1]", 2, "comprised of strings only"),
        ("FROM a\nONBUILD FROM b", 2, "isn't allowed as an ONBUILD trigger"),
        ("FROM a\nONBUILD ONBUILD RUN x", 2, "Chaining ONBUILD"),
        ("FROM a\nONBUILD COPPY a b", 2, "unknown instruction: COPPY (did you mean COPY?)"),
        ("FROM a\nHEALTHCHECK CDM x", 2, "Unknown type"),
        ("FROM a\nHEALTHCHECK --interval=1us CMD x", 2, "cannot be less than 1ms"),
        ("FROM a\nRUN --mount=type=cach,target=/x y", 2, ""),
        ("FROM a\nRUN --mount=tpye=cache y", 2, "unexpected key 'tpye' in 'tpye=cache' (did you mean type?)"),
        ("FROM a\nRUN --mount=from=$x,target=/y z", 2, "doesn't support variable expansion"),
        ("FROM a\nRUN --network=hots y", 2, "did you mean host?"),
        ("# escape=x\nFROM a", 1, "invalid escape token"),
        ("# escape=`\n# escape=`\nFROM a", 2, "only one escape"),
        ("FROM a\nVOLUME  ", 2, "VOLUME requires at least one argument"),
    ],
)
def test_an_error_names_its_line_and_the_right_word(text: str, line: int, message: str):
    if not message:  # values of mounts may be variables, so that they are checked when the stage is compiled
        divide(parse_dockerfile(text.encode()))
        return
    with pytest.raises(DockerfileError) as caught:
        divide(parse_dockerfile(text.encode()))
    assert caught.value.line == line
    assert message in caught.value.message


def test_files_that_are_no_dockerfiles_are_refused():
    with pytest.raises(DockerfileError, match="binary"):
        parse_dockerfile(b"\x7fELF\x00\x00")
    with pytest.raises(DockerfileError, match="limit"):
        parse_dockerfile(b"x" * (MAX_DOCKERFILE_BYTES + 1))
    with pytest.raises(DockerfileError, match="max allowed size"):
        parse_dockerfile(b"FROM a\nRUN " + b"x" * 70_000)


def test_counts_are_limited():
    stages = "".join(f"FROM a AS s{number}\n" for number in range(1001))
    with pytest.raises(DockerfileError, match="1,000 stages"):
        divide(parse_dockerfile(stages.encode()))
    with pytest.raises(DockerfileError, match="5,000 sources"):
        divide(parse_dockerfile(f"FROM a\nCOPY {'a ' * 6000} /b/\n".encode()))
    with pytest.raises(DockerfileError, match="options"):
        divide(parse_dockerfile(f"FROM a\nCOPY {'--exclude=a ' * 2000} a b\n".encode()))
