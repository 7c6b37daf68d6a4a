"""Progress of several builds at once, as one."""

from __future__ import annotations

import re

import msgspec

from pyd_core.buildkit.client.progress import BuildSteps, ProgressChange, StepOutputLine, StepProgress
from pyd_tui.cli.builds.displays import BuildDisplay

_STAGE = re.compile(r"^\[(?!internal\])(?P<rest>[^\]]*)\]")


class SharedDisplay:
    """Shows the steps of several builds in one display; the steps' stages begin with the build's name.

    Args:
        display: Shows them.
    """

    def __init__(self, display: BuildDisplay) -> None:
        self._display = display
        self._progress = BuildSteps()

    def part(self, name: str) -> BuildDisplay:
        """Return the display of one build."""
        return _Part(self, name)

    def update(self, name: str, change: ProgressChange) -> None:
        """Show what changed in one build."""
        for step in change.steps:
            self._add(name, step)
        self._display.update(
            self._progress,
            ProgressChange(
                steps=tuple(self._progress.steps[f"{name} {step.digest}"] for step in change.steps),
                lines=tuple(
                    StepOutputLine(step=f"{name} {line.step}", stream=line.stream, text=line.text)
                    for line in change.lines
                    if f"{name} {line.step}" in self._progress.steps
                ),
                warnings=change.warnings,
            ),
        )

    def finish(self) -> None:
        """Show the last state of all."""
        self._display.finish(self._progress)

    def _add(self, name: str, step: StepProgress) -> None:
        digest = f"{name} {step.digest}"
        known = self._progress.steps.get(digest)
        self._progress.steps[digest] = msgspec.structs.replace(
            step,
            digest=digest,
            name=_named(name, step.name),
            number=known.number if known is not None else len(self._progress.steps) + 1,
            inputs=tuple(f"{name} {item}" for item in step.inputs),
        )


class _Part:
    def __init__(self, shared: SharedDisplay, name: str) -> None:
        self._shared = shared
        self._name = name

    def update(self, progress: BuildSteps, change: ProgressChange) -> None:
        """Show what changed."""
        del progress
        self._shared.update(self._name, change)

    def finish(self, progress: BuildSteps) -> None:
        """Show the last state of all: the one display of all builds ends with the last."""
        self._shared.update(self._name, ProgressChange(steps=tuple(progress.steps.values())))


def _named(name: str, text: str) -> str:
    return _STAGE.sub(lambda match: f"[{name} {match['rest']}]", text, count=1)
