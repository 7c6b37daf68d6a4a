"""Errors as text and as exit codes."""

from __future__ import annotations

import click
import pytest

from pyd_core.errors import (
    Ambiguous,
    ConfigError,
    Conflict,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    KernelError,
    NoEngine,
    NotFound,
    ProtocolError,
    PydError,
    Refused,
    StreamInterrupted,
    ToolboxError,
    Unsupported,
)
from pyd_tui.console import failures
from pyd_tui.console.usage_errors import from_click

ALL = [
    (InvalidInput("m"), 2),
    (InvalidInput("m", reference="engine-rejected"), 1),
    (Ambiguous("m", candidates=["a"]), 1),
    (ConfigError("m"), 1),
    (NotFound("m"), 1),
    (Conflict("m"), 1),
    (Refused("m"), 125),
    (Unsupported("m"), 1),
    (Unsupported("m", reference="api-too-old"), 125),
    (EngineError("m"), 1),
    (ProtocolError("m"), 1),
    (EngineUnavailable("m"), 125),
    (NoEngine("m"), 125),
    (StreamInterrupted("m"), 125),
    (KernelError("mount", 1), 1),
    (ToolboxError("m"), 1),
    (PydError("m"), 1),
    (from_click(click.UsageError("m")), 2),
    (from_click(click.FileError("f", "m")), 1),
    (from_click(click.Abort()), 130),
    (KeyboardInterrupt(), 130),
    (BrokenPipeError(), 141),
    (OSError(28, "No space left on device"), 1),
    (ValueError("m"), 1),
]


@pytest.mark.parametrize(("error", "code"), ALL, ids=lambda value: type(value).__name__)
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int):
    assert failures.exit_code(error) == code


@pytest.mark.parametrize(
    "error",
    [error for error, _ in ALL if isinstance(error, PydError) and error.reference != "usage"],
    ids=lambda e: e.reference,
)
def test_a_failure_before_the_command_exits_with_125(error: PydError):
    assert failures.exit_code(error, before_command=True) == 125


def test_message_and_hint_are_a_line_each():
    assert failures.lines(NotFound("no such container: x", hint="try y", reference="no-such-container")) == [
        "no such container: x [no-such-container]",
        "hint: try y",
    ]


def test_similar_names_are_the_hint_if_there_is_no_other():
    assert failures.lines(NotFound("m", nearest=["web-1", "web-2"]))[1] == "hint: did you mean web-1, web-2?"
    assert failures.lines(Ambiguous("m", candidates=["ab", "ac"]))[1] == "hint: it could be ab, ac"


def test_an_engines_message_can_neither_control_the_terminal_nor_forge_a_line():
    text = failures.lines(EngineError("bad\n\x1b[2J\npyd: all is well", hint="x\r\ny"))
    assert text == ["bad ␛[2J pyd: all is well [engine-error]", "hint: x y"]


def test_an_interruption_and_a_closed_pipe_are_quiet():
    assert failures.lines(KeyboardInterrupt()) == []
    assert failures.lines(BrokenPipeError()) == []


def test_a_bug_is_reported_with_a_traceback_only_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PYD_TRACEBACK", raising=False)
    failures.report(ValueError("odd"))
    quiet = capsys.readouterr().err
    assert quiet.startswith("pyd: a bug in pyd: ValueError: odd [bug]\nhint: ")
    assert "Traceback" not in quiet
    monkeypatch.setenv("PYD_TRACEBACK", "1")
    failures.report(ValueError("odd"))
    assert "ValueError: odd" in capsys.readouterr().err.splitlines()[0]
