"""Steps of a build by stage, for its tree and its report."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from pyd_core.buildkit.client.progress import StepProgress

_STAGED = re.compile(r"^\[(?:(?P<stage>[^\]]*?) )?(?P<number>\d{1,6})/(?P<count>\d{1,6})\] (?P<text>.*)$", re.DOTALL)
_INTERNAL = re.compile(r"^\[[^\]]+\] ")
CONTEXT_GROUP = "context"
RESULT_GROUP = "result"
_RESULT_WORDS = ("exporting ", "pushing ", "writing image", "sending tarball", "copying files")


class StagedStep(msgspec.Struct, frozen=True):
    """A step with its position in the Dockerfile.

    Attributes:
        step: The step.
        stage: Its stage; empty in Dockerfiles with one unnamed stage.
        number: Its number in the stage, from 1; 0 for the builder's own work.
        count: The number of steps of its stage.
        text: The instruction.
    """

    step: StepProgress
    stage: str
    number: int
    count: int
    text: str


class StageGroup(msgspec.Struct):
    """The steps of one stage in the order of its instructions, or of the builder's own work."""

    name: str
    steps: list[StagedStep] = []


def locate(step: StepProgress) -> StagedStep:
    """Return a step with its position, which builders put into its name: `[builder 2/5] RUN make`."""
    if match := _STAGED.match(step.name):
        return StagedStep(
            step, match["stage"] or "", int(match["number"]), int(match["count"]), one_line(match["text"])
        )
    is_result = step.name.startswith(_RESULT_WORDS)
    text = _INTERNAL.sub("", step.name, count=1)
    return StagedStep(step, RESULT_GROUP if is_result else CONTEXT_GROUP, 0, 0, one_line(text))


def group_steps(steps: Collection[StepProgress]) -> list[StageGroup]:
    """Return steps by stage: what loads the context first, then stages after those that they use, the result last."""
    groups: dict[str, StageGroup] = {}
    for step in steps:
        placed = locate(step)
        groups.setdefault(placed.stage, StageGroup(placed.stage)).steps.append(placed)
    for group in groups.values():
        group.steps.sort(key=lambda placed: (placed.number, placed.step.number))
    depths = _depths(list(steps))
    return sorted(groups.values(), key=lambda group: _rank(group, depths))


def counts(steps: Mapping[str, StepProgress]) -> tuple[int, int, int]:
    """Return how many instructions are done, how many there are, and how many came from the cache."""
    placed = [item for item in map(locate, steps.values()) if item.number]
    done = sum(item.step.completed is not None and not item.step.error for item in placed)
    return done, len(placed), sum(item.step.cached for item in placed)


def one_line(text: str) -> str:
    """Return text with each run of white space as one space."""
    return " ".join(text.split())


def _depths(steps: Collection[StepProgress]) -> dict[str, int]:
    """Return how many steps in a row lead to each, by digest."""
    known = {step.digest: step for step in steps}
    depths: dict[str, int] = {}
    pending = list(known)
    while pending:
        digest = pending[-1]
        if digest in depths:
            pending.pop()
            continue
        inputs = [item for item in known[digest].inputs if item in known]
        missing = [item for item in inputs if item not in depths]
        if missing and len(pending) <= len(known):  # inputs that lead in a circle, as no builder sends them, end here
            pending += missing[:1]
            continue
        depths[digest] = 1 + max((depths.get(item, 0) for item in inputs), default=0)
        pending.pop()
    return depths


def _rank(group: StageGroup, depths: Mapping[str, int]) -> tuple[int, int, int]:
    kind = {CONTEXT_GROUP: 0, RESULT_GROUP: 2}.get(group.name, 1) if group.steps[0].number == 0 else 1
    return kind, max(depths[item.step.digest] for item in group.steps), group.steps[0].step.number
