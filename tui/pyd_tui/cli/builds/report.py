"""The report at the end of a build: where the time went, the image's size by stage, and what changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from pyd_core.buildkit.client.progress import BuildSteps, StepProgress
from pyd_core.humanize import age, size
from pyd_core.model.base import parse_time
from pyd_core.model.image import HistoryLayer, Image
from pyd_core.sanitise import safe
from pyd_tui.cli.builds.displays import summary_time
from pyd_tui.console.builds.stages import CONTEXT_GROUP, RESULT_GROUP, locate, one_line

MAX_SLOW_STEPS = 3
MIN_SHARE = 0.05
MIN_STEP_S = 0.1
"""Steps with a smaller share of the time, or that are shorter, aren't listed."""
MAX_SIZES = 4
MAX_NAME_CHARS = 60
BASE = "base image"
_FLAGS = re.compile(r"^([A-Z]+ )(?:--[a-z-]+(?:=\S*)? )+")
"""Options of an instruction, which histories leave out."""


class SizePart(msgspec.Struct, frozen=True):
    """Bytes that a stage or the base image contributes to an image."""

    name: str
    size: int
    steps: tuple[tuple[str, int], ...] = ()
    """Instructions with their bytes, the largest first."""


def time_lines(progress: BuildSteps, elapsed: float) -> list[str]:
    """Return where the time went."""
    steps = sorted(progress.steps.values(), key=lambda step: -step.duration(0))
    busy = [step for step in steps if step.completed is not None and not step.cached]
    limit = max(MIN_STEP_S, elapsed * MIN_SHARE)
    slow = [step for step in busy[:MAX_SLOW_STEPS] if step.duration(0) >= limit]
    parts = [f"{_step_name(step)} {summary_time(step.duration(0))}" for step in slow]
    return [f"time    {summary_time(elapsed)}" + (f": {'; '.join(parts)}" if parts else "")]


def size_parts(progress: BuildSteps, history: Sequence[HistoryLayer]) -> list[SizePart]:
    """Return the bytes of the base image and of each stage whose steps are layers of the image.

    Layers are matched with steps by their instruction, since an image's history doesn't name stages.
    """
    instructions = {_normal(placed.text): placed for placed in map(locate, progress.steps.values()) if placed.number}
    totals: dict[str, int] = {}
    steps: dict[str, list[tuple[str, int]]] = {}
    for layer in reversed(history):
        placed = instructions.get(_normal(layer.created_by)) if "buildkit" in layer.comment else None
        name = BASE if placed is None else placed.stage or "stage"
        totals[name] = totals.get(name, 0) + max(layer.size, 0)
        if placed is not None and layer.size > 0:
            steps.setdefault(name, []).append((placed.text, layer.size))
    return [
        SizePart(name, total, tuple(sorted(steps.get(name, ()), key=lambda item: -item[1])))
        for name, total in totals.items()
        if total
    ]


def size_lines(image: Image, parts: Sequence[SizePart]) -> list[str]:
    """Return the image's size, and what contributes to it."""
    texts = []
    for part in parts:
        largest = ", ".join(f"{_short(text)} {size(count)}" for text, count in part.steps[:MAX_SIZES])
        texts.append(f"{safe(part.name)} {size(part.size)}" + (f" ({largest})" if largest else ""))
    return [f"size    {size(image.size)}" + (f": {'; '.join(texts)}" if texts else "")]


def change_lines(progress: BuildSteps, before: Image | None, after: Image, now: float) -> list[str]:
    """Return what changed since the last build of the image's name."""
    if before is None:
        return []
    since = f" since the build {_ago(before, now)}" if _created(before) else " since the last build"
    if before.id == after.id:
        return [f"changed nothing{since}"]
    changes: list[str] = []
    ran = [
        placed
        for placed in map(locate, progress.steps.values())
        if placed.number and placed.step.started is not None and not placed.step.cached
    ]
    if ran:
        first = min(ran, key=lambda placed: placed.step.started or 0)
        stage = f"{first.stage} " if first.stage else ""
        changes.append(f"{len(ran)} steps ran, the first was {stage}{_short(first.text)}")
    old, new = before.root_fs.layers, after.root_fs.layers
    kept = sum(1 for _ in _common(old, new))
    if old != new:
        changes.append(f"layers {kept} kept, {len(new) - kept} new")
    difference = after.size - before.size
    if difference:
        changes.append(f"size {'+' if difference > 0 else '-'}{size(abs(difference))}")
    config = [
        name
        for name in (
            "env",
            "cmd",
            "entrypoint",
            "user",
            "working_dir",
            "exposed_ports",
            "labels",
            "volumes",
            "healthcheck",
        )
        if getattr(before.config, name, None) != getattr(after.config, name, None)
    ]
    if config:
        changes.append(f"config: {', '.join(config)}")
    return [f"changed{since}: {'; '.join(changes)}"] if changes else []


def _ran(step: StepProgress) -> bool:
    return step.started is not None and not step.cached


def _common(old: Sequence[str], new: Sequence[str]) -> list[str]:
    common = []
    for left, right in zip(old, new, strict=False):
        if left != right:
            break
        common.append(left)
    return common


def _created(image: Image) -> float | None:
    created_ns = parse_time(image.metadata.last_tag_time) or parse_time(image.created)
    return created_ns / 1e9 if created_ns and created_ns > 0 else None


def _ago(image: Image, now: float) -> str:
    created = _created(image)
    return f"{age(now - created)} ago" if created else ""


def _step_name(step: StepProgress) -> str:
    placed = locate(step)
    stage = placed.stage if placed.number or placed.stage not in {CONTEXT_GROUP, RESULT_GROUP} else ""
    return f"{safe(stage)} {_short(placed.text)}".strip()


def _short(text: str) -> str:
    text = safe(one_line(text))
    return text if len(text) <= MAX_NAME_CHARS else f"{text[: MAX_NAME_CHARS - 1]}…"


def _normal(text: str) -> str:
    """Return an instruction in the form that steps and histories share."""
    words = one_line(text).removesuffix(" # buildkit")
    if words.startswith("RUN |"):
        _, _, words = words.partition(" /bin/sh -c ")
        words = f"RUN {words}"
    words = words.replace("RUN /bin/sh -c ", "RUN ", 1)
    if words.startswith("RUN ["):
        with suppress(msgspec.DecodeError):
            words = f"RUN {' '.join(msgspec.json.decode(words[4:], type=list[str]))}"
    return _FLAGS.sub(r"\1", words)
