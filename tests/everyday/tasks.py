"""Ten everyday tasks, as keys and as clicks from the moment the list is on screen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Presses keys, by tmux's names."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Types text, a key for each letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Click:
    """Clicks the first occurrence of a text.

    Attributes:
        text: The text.
        button: 0 is the left button, 2 the right one.
        times: 2 is a double click, which counts once.
    """

    text: str
    button: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """Waits for a text on the screen."""

    text: str


Step = Keys | Text | Click | Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task.

    Attributes:
        name: What the user wants.
        keys: The steps by keyboard.
        mouse: The steps by mouse.
        before: The keys that it took in version 0.1; None where it wasn't possible.
    """

    name: str
    keys: tuple[Step, ...]
    mouse: tuple[Step, ...]
    before: int | None


def press(*names: str) -> Keys:
    """Return a step that presses keys."""
    return Keys(names)


FIRST = "worker QUEUE_URL"
"""The worst container in the strip above the list."""

TASKS = (
    Task(
        name="find what is broken",
        keys=(press("!"), Shown("QUEUE_URL is not set  missing-env")),
        mouse=(Click("broken  !"), Shown("QUEUE_URL is not set  missing-env")),
        before=1,
    ),
    Task(
        name="read why",
        keys=(press("F1"), Shown("What to do")),
        mouse=(Click(FIRST), Shown("What to do")),
        before=3,
    ),
    Task(
        name="see the error in its log",
        keys=(press("F1"), Shown("1 open"), press("Enter"), Shown("about"), press("Enter"), Shown("▸")),
        mouse=(Click(FIRST), Shown("1 open"), Click("enter steps"), Shown("about"), Click("open    open"), Shown("▸")),
        before=3,
    ),
    Task(
        name="fix it (set the variable; by mouse: start what ended)",
        keys=(
            *(press("F1"), Shown("3 recreate"), press("Enter"), Shown("about")),
            *(press("3", "Enter"), Shown("QUEUE_URL="), Text("x"), press("Enter"), Shown("recreated worker")),
        ),
        mouse=(Click("report ", button=2), Shown("start it"), Click("start it"), Shown("started report")),
        before=17,
    ),
    Task(
        name="watch it come up",
        keys=(Text("/worker"), Shown("1 of"), press("Enter", "l"), Shown("starting worker")),
        mouse=(Click("worker  "), Shown("starting worker")),
        before=9,
    ),
    Task(
        name="free disk",
        keys=(press("6"), Shown("build cache"), press("P"), Shown("Prune"), press("y"), Shown("removed")),
        mouse=(
            Click("6 System"),
            Shown("build cache"),
            Click("P prune"),
            Shown("Prune"),
            Click("y yes"),
            Shown("removed"),
        ),
        before=6,
    ),
    Task(
        name="follow a project",
        keys=(Text("/web-1"), Shown("1 of"), press("Enter", "L"), Shown("2 containers")),
        mouse=(
            Click("web-1 ", button=2),
            Shown("of its project"),
            Click("the logs of its project"),
            Shown("2 containers"),
        ),
        before=8,
    ),
    Task(
        name="find a line far back in a log",
        keys=(press("S"), Text("line 7 of"), press("Enter"), Shown("line 7 of it"), press("Enter"), Shown("line 8 of")),
        mouse=(
            *(Click("report ", times=2), Shown("Overview"), Click("Logs"), Shown("last 1,00")),
            *(Click(", time"), Shown("from its start"), Click("from its start"), Shown("line 7 of")),
        ),
        before=12,
    ),
    Task(
        name="who has port 18080",
        keys=(Text("/18080"), Shown("1 of")),
        mouse=(Shown("18080→80"),),
        before=None,
    ),
    Task(
        name="enter a container without a shell",
        keys=(Text("/bare"), Shown("1 of"), press("Enter", "D"), Shown("root:/#")),
        mouse=(Click("bare ", button=2), Shown("a debug shell"), Click("a debug shell"), Shown("root:/#")),
        before=7,
    ),
)


def count(steps: tuple[Step, ...]) -> int:
    """Return how many keys or clicks the steps take."""
    sizes = (
        len(step.names) if isinstance(step, Keys) else len(step.text) if isinstance(step, Text) else 1
        for step in steps
        if not isinstance(step, Shown)
    )
    return sum(sizes)
