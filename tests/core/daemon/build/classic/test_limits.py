"""Instructions that the classic builder refuses."""

from __future__ import annotations

import pytest

from pyd_core.buildkit.frontend.stage_node import StageNode
from pyd_core.daemon.build.classic.limits import check_destination, check_stage, copy_failure, refuse_buildkit
from pyd_core.dockerfile.instruction_parser import parse_typed
from pyd_core.dockerfile.instructions import TransferInstruction, TypedInstruction
from pyd_core.dockerfile.parser import parse_instruction
from pyd_core.errors import DockerfileError, InvalidInput, Unsupported


def parsed(line: str) -> TypedInstruction:
    return parse_typed(parse_instruction(line))


def transfer(line: str) -> TransferInstruction:
    instruction = parsed(line)
    assert isinstance(instruction, TransferInstruction)
    return instruction


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("RUN --mount=type=cache,target=/x true", "RUN --mount requires BuildKit"),
        ("RUN --network=none true", "RUN --network requires BuildKit"),
        ("COPY --chmod=700 a /b", "COPY --chmod requires BuildKit"),
        ("COPY --parents a /b/", "COPY --parents requires BuildKit"),
        ("ADD --keep-git-dir=true a /b", "ADD --keep-git-dir requires BuildKit"),
        ("RUN <<EOF\ntrue\nEOF", "RUN with a here-document requires BuildKit"),
        ("COPY <<EOF /a\ntext\nEOF", "COPY with a here-document requires BuildKit"),
    ],
)
def test_options_of_buildkit_are_refused_by_name(line: str, words: str):
    with pytest.raises(Unsupported, match=words) as caught:
        refuse_buildkit(parsed(line))
    assert caught.value.reference == "needs-buildkit"


@pytest.mark.parametrize("line", ["RUN true", "COPY --chown=1 --from=0 a /b", "COPY --link a /b", "ENV a=b"])
def test_other_instructions_are_not_refused(line: str):
    refuse_buildkit(parsed(line))


@pytest.mark.parametrize(
    ("source", "words"),
    [("1", "refers to current build stage"), ("2", "no such stage comes before"), ("9" * 30, "no such stage comes")],
)
def test_a_copy_takes_files_from_an_earlier_stage(source: str, words: str):
    check_stage(parsed("COPY --from=0 a /b"), 1)
    with pytest.raises(DockerfileError, match=words):
        check_stage(parsed(f"COPY --from={source} a /b"), 1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("COPY a b /c", "must be a directory and end with a /"),
        ("COPY --chown=:apps a /c/", "no such user"),
        ("ADD http://host/ /c/", "cannot determine filename"),
        ("ADD http://[::x/ /c/", "cannot determine filename"),
    ],
)
def test_a_destination_must_be_able_to_take_its_sources(line: str, words: str):
    node = StageNode("", "scratch", stage=None)
    check_destination(transfer("COPY a b /c/"), node, "\\")
    with pytest.raises(DockerfileError, match=words):
        check_destination(transfer(line), node, "\\")


def test_repositories_are_refused_by_name():
    node = StageNode("", "scratch", stage=None)
    with pytest.raises(Unsupported, match="ADD of a repository requires BuildKit"):
        check_destination(transfer("ADD https://host/x.git /x"), node, "\\")


def test_a_missing_source_is_reported_in_docker_engines_words():
    error = InvalidInput("lstat /dir/x: no such file or directory", reference="copy-source-missing")
    assert copy_failure(transfer("COPY dir/x /b"), error) == (
        "COPY failed: file not found in build context or excluded by .dockerignore: stat dir/x: file does not exist"
    )
    assert copy_failure(transfer("ADD x /b"), InvalidInput("no space")) == "ADD failed: no space"
