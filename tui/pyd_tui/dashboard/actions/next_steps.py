"""The steps that a verdict suggests: commands to run, the line of the log to open, a change to recreate with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pyd_core.model.base import parse_time

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.triage.verdict import Verdict
    from pyd_core.watch.container_info import ContainerInfo
    from pyd_tui.dashboard.engines.target import RowTarget
    from pyd_tui.dashboard.screens.host import ScreenHost

StepKind = Literal["log", "command", "debug", "stats", "recreate", "host", "note"]

MAX_LABEL_CHARACTERS = 300
"""Of a line of output in the label of a step."""
_RECREATE_CAUSES = frozenset(
    {"missing-env", "missing-file", "volume-permission", "usage-error", "command-not-found", "not-executable"}
    | {"port-conflict", "read-only-fs", "fd-limit", "operation-not-permitted", "oom-killed", "app-heap-exhausted"}
)
"""Causes that a change of the container's configuration may remove."""
_READING_VERBS = frozenset({"inspect", "diff", "logs", "top", "stats", "ps", "system", "triage"})
_CHANGING_VERBS = frozenset({("system", "prune")})
_IMPLIED_ORIGINS = frozenset({"", "default socket", "embedded engine", "DOCKER_HOST"})
"""Origins of an address that `pyd` without options finds as well."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that a verdict suggests.

    Attributes:
        kind: How to take it; a `host` command can only be copied, and a `note` only be read.
        text: The command, or a description.
        words: The arguments of `pyd`, for a command.
        at_ns: The time of the log's line, nanoseconds since the epoch.
        env: The variable to set when the container is recreated.
    """

    kind: StepKind
    text: str
    words: tuple[str, ...] = ()
    at_ns: int = 0
    env: str = ""

    @property
    def changes(self) -> bool:
        """Whether it changes something on the engine."""
        verb = self.words[:2]
        return self.kind in {"debug", "recreate"} or (
            self.kind == "command" and (verb[0] not in _READING_VERBS or verb in _CHANGING_VERBS)
        )


def engine_options(endpoint: Endpoint | None) -> tuple[str, ...]:
    """Return the options with which `pyd` uses the engine of an address; none where it does so without."""
    if endpoint is None or endpoint.origin in _IMPLIED_ORIGINS:
        return ()
    name, _, context = endpoint.origin.partition(" ")
    return ("--context", context) if name == "context" and context else ("-H", endpoint.url)


def with_engine(text: str, endpoint: Endpoint | None) -> str:
    """Return a line of advice with the engine's options in its command, if it is one of `pyd`."""
    if not text.startswith("pyd "):
        return text
    return " ".join(("pyd", *engine_options(endpoint), text.removeprefix("pyd ")))


def next_steps(verdict: Verdict, entry: ContainerInfo | None, endpoint: Endpoint | None) -> list[Step]:
    """Return the steps of a verdict, the first of which changes nothing."""
    from pyd_core.triage.causes import CAUSES  # noqa: PLC0415 - loaded with the verdict

    steps: list[Step] = []
    line = next((item for item in verdict.evidence if item.source == "log" and item.time), None)
    if line is not None and (at_ns := parse_time(line.time or "")) is not None:
        text = line.text.partition(": ")[2][:MAX_LABEL_CHARACTERS]
        steps.append(Step(kind="log", text=f"open the log at the line “{text}”", at_ns=at_ns))
    remedy = CAUSES[verdict.cause].remedy if verdict.cause in CAUSES else ""
    commands = [_step(text, endpoint) for text in verdict.advice if text != remedy]
    steps += sorted(commands, key=lambda step: step.changes)
    if not (line is None and any(step.kind == "log" for step in steps)) and line is not None:
        steps = [step for step in steps if step.kind != "log" or step.at_ns]  # the end of the log is below that line
    if verdict.cause in _RECREATE_CAUSES and entry is not None:
        steps.append(_recreate(verdict))
    if verdict.broken and entry is not None and entry.state in {"exited", "created"} and verdict.cause == "oom-killed":
        steps.append(_step(f"pyd start {shlex.quote(entry.name)}", endpoint))
    if verdict.broken and entry is not None and not any(step.kind == "debug" for step in steps):
        steps.append(_step(f"pyd debug {shlex.quote(entry.name)}", endpoint))
    if remedy in verdict.advice:
        steps.append(Step(kind="note", text=remedy))
    return sorted(steps, key=lambda step: step.kind == "note")


def _recreate(verdict: Verdict) -> Step:
    name = verdict.reason.partition(" ")[0] if verdict.cause == "missing-env" else ""
    if _VARIABLE.fullmatch(name) and verdict.reason.endswith("is not set"):
        return Step(kind="recreate", text=f"recreate it with {name} set", env=f"{name}=")
    return Step(kind="recreate", text="recreate it with changes")


def _step(text: str, endpoint: Endpoint | None) -> Step:
    """Return the step of one line of advice."""
    if not text.startswith("pyd "):
        return Step(kind="host", text=text)
    try:
        words = tuple(shlex.split(text, comments=True)[1:])
    except ValueError:
        return Step(kind="note", text=text)
    if not words or "…" in words:
        return Step(kind="note", text=text)
    shown = with_engine(text, endpoint)
    kind: StepKind = "command"
    if words[0] == "logs":
        kind = "log"
    elif len(words) == 2 and words[0] in {"stats", "debug"}:
        kind = "stats" if words[0] == "stats" else "debug"
    return Step(kind=kind, text=shown, words=words)


def take_step(dashboard: ScreenHost, target: RowTarget, step: Step) -> None:
    """Take a step: run its command, open the log, or ask for the changes to recreate with."""
    if step.changes and not dashboard.may_change(target.link):
        return
    match step.kind:
        case "log":
            from pyd_tui.dashboard.screens.logs import LogScreen  # noqa: PLC0415 - on first use

            dashboard.push_screen(LogScreen((target,), step.at_ns))
        case "debug":
            from pyd_tui.dashboard.actions.suspend import enter_debug  # noqa: PLC0415 - on first use

            dashboard.tasks.start(enter_debug(dashboard, target), name="debug")
        case "recreate":
            dashboard.container_actions.recreate(target, {"env": step.env} if step.env else {})
        case "command":
            from pyd_tui.dashboard.actions.suspend import command  # noqa: PLC0415 - on first use

            argv: Sequence[str] = command(target.link.endpoint, *step.words)
            dashboard.external_commands.show(target.link, argv, step.text)
        case _:
            dashboard.transfers.copy(step.text)
