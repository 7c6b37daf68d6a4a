from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pyd_core.model.container import Container
from pyd_core.triage.catalogue import render
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.codes import explain_code, signal_number
from pyd_core.triage.text_report import brief, describe, describe_cause, describe_code
from pyd_core.triage.verdict import decide

from .conftest import ID, MakeCase

ISSUED = [
    "clean-exit",
    "app-error",
    "usage-error",
    "stopped",
    "stop-timeout",
    "killed-by-user",
    "killed-externally",
    "engine-restart",
    "segfault",
    "abort",
    "bus-error",
    "arithmetic-fault",
    "illegal-instruction",
    "seccomp-kill",
    "operation-not-permitted",
    "command-not-found",
    "not-executable",
    "interpreter-missing",
    "crlf-script",
    "wrong-architecture",
    "loader-missing",
    "shared-library-missing",
    "bad-workdir",
    "unknown-user",
    "port-conflict",
    "mount-source-missing",
    "mount-type-mismatch",
    "device-missing",
    "network-missing",
    "image-not-found",
    "pull-rate-limited",
    "pull-auth",
    "registry-unreachable",
    "never-started",
    "oom-killed",
    "oom-child",
    "oom-host",
    "app-heap-exhausted",
    "memory-rlimit",
    "memory-near-limit",
    "address-in-use",
    "permission-denied",
    "volume-permission",
    "read-only-fs",
    "no-space",
    "inode-exhausted",
    "pids-limit",
    "fd-limit",
    "dns-failure",
    "not-same-network",
    "connection-refused",
    "authentication-failed",
    "missing-env",
    "missing-file",
    "missing-secret",
    "clock-skew",
    "running-ok",
    "paused",
    "restart-loop",
    "unhealthy",
    "healthcheck-broken",
    "cpu-throttled",
    "engine-permission",
    "engine-unreachable",
    "unknown",
]


def test_no_cause_that_scripts_may_know_has_gone() -> None:
    assert set(ISSUED) <= set(CAUSES)


def test_the_page_of_rules_is_the_one_generated_from_them() -> None:
    page = Path(__file__).parents[3] / "docs/reference/triage.md"
    assert page.read_text() == render(), "run: python -m pyd_core.triage.catalogue > docs/reference/triage.md"


def test_names_and_output_reach_a_terminal_only_harmless(dead: MakeCase) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202e"
    verdict = decide(dead(1, f"{hostile} connection refused", container=Container(id=ID, name_=f"/web{hostile}")))
    for text in (describe(verdict), brief(verdict)):
        assert not set("\x1b\x07\u202e") & set(text)


def test_commands_to_paste_quote_hostile_names(dead: MakeCase) -> None:
    verdict = decide(dead(1, container=Container(id=ID, name_="/x; rm -rf $HOME")))
    assert "pyd logs --tail 100 'x; rm -rf $HOME'" in verdict.advice


def test_json_has_the_promised_fields(dead: MakeCase) -> None:
    document = msgspec.json.decode(msgspec.json.encode(decide(dead(3, "bent"))))
    assert {"name", "cause", "confidence", "summary", "contributing", "evidence", "advice", "unread"} <= set(document)
    assert set(document["evidence"][0]) == {"source", "time", "text"}


@pytest.mark.parametrize("code", [*range(256), 300, -1])
def test_every_code_has_words(code: int) -> None:
    assert describe_code(code)
    assert explain_code(code).meaning


def test_137_is_said_to_have_several_meanings() -> None:
    text = describe_code(137)
    assert "grace period" in text
    assert "memory" in text
    assert "proves nothing" in text


@pytest.mark.parametrize(("text", "number"), [("9", 9), ("KILL", 9), ("sigterm", 15), ("NOPE", None)])
def test_signals_by_name_and_number(text: str, number: int | None) -> None:
    assert signal_number(text) == number


def test_every_cause_is_explained() -> None:
    for identity in CAUSES:
        assert identity in describe_cause(identity)
