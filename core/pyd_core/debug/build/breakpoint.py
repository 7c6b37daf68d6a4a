"""The step at which a build is stopped: named by its stage and number, its text, or a line of the Dockerfile."""

from __future__ import annotations

import re

import msgspec

from pyd_core.buildkit.llb.definition import op_digest
from pyd_core.buildkit.proto import gateway_pb2, ops_pb2
from pyd_core.errors import NotFound
from pyd_core.sanitise import safe

NAME_KEY = "llb.customname"
"""The key of a vertex's name in its description."""
MAX_CANDIDATES = 5


class BuildStep(msgspec.Struct, frozen=True, kw_only=True):
    """A RUN step of a definition.

    Attributes:
        op: The serialized operation.
        name: Its name, such as `[builder 2/5] RUN make`.
        first: Its first line in the Dockerfile; 0 if unknown.
        last: Its last line.
    """

    op: bytes
    name: str
    first: int = 0
    last: int = 0


def definition_of(result: gateway_pb2.Result) -> ops_pb2.Definition:
    """Return the definition of a result; of the first platform's where there are several.

    Raises:
        NotFound: The builder returned none.
    """
    for reference in (result.ref, *result.refs.refs.values()):
        definition: ops_pb2.Definition = getattr(reference, "def")  # the field's name is a keyword
        if getattr(definition, "def"):
            return definition
    raise NotFound("the builder doesn't show the steps of this build")


def list_steps(definition: ops_pb2.Definition) -> list[BuildStep]:
    """Return the RUN steps of a definition, in the order of the definition."""
    steps: list[BuildStep] = []
    serialized_ops: list[bytes] = getattr(definition, "def")
    for serialized in serialized_ops:
        op = ops_pb2.Op.FromString(serialized)
        if op.WhichOneof("op") != "exec":
            continue
        digest = op_digest(serialized)
        metadata = definition.metadata[digest] if digest in definition.metadata else ops_pb2.OpMetadata()
        ranges = [item for location in definition.Source.locations[digest].locations for item in location.ranges]
        steps.append(
            BuildStep(
                op=serialized,
                name=metadata.description.get(NAME_KEY, " ".join(op.exec.meta.args)),
                first=min((item.start.line for item in ranges), default=0),
                last=max((max(item.start.line, item.end.line) for item in ranges), default=0),
            )
        )
    return steps


def find_digest(definition: ops_pb2.Definition, digest: str) -> BuildStep | None:
    """Return the RUN step with a digest; None if it is another step."""
    return next((step for step in list_steps(definition) if op_digest(step.op) == digest), None)


def find_step(definition: ops_pb2.Definition, text: str) -> BuildStep:
    """Return the step that a text names.

    Args:
        definition: The build.
        text: A line of the Dockerfile, `STAGE:NUMBER`, or a part of the instruction.

    Raises:
        NotFound: No RUN step is meant.
    """
    steps = list_steps(definition)
    for step in steps:
        if text.isdecimal() and step.first <= int(text) <= step.last:
            return step
    stage, colon, number = text.rpartition(":")
    for step in steps:
        if colon and re.match(rf"\[(?:.* )?{re.escape(stage)} {re.escape(number)}/\d+\]", step.name):
            return step
    matches = [step for step in steps if text.casefold() in step.name.casefold()]
    if matches and not text.isdecimal():
        return matches[0]
    names = [f"line {step.first}: {safe(' '.join(step.name.split()))}" for step in steps[:MAX_CANDIDATES]]
    raise NotFound(
        f"no RUN step is {safe(text)!r}",
        hint=f"the RUN steps are {'; '.join(names)}" if names else "this build has no RUN step",
        reference="no-such-step",
    )
