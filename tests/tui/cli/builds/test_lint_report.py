"""`pyd lint` and `pyd build --check`: output, exit codes, fixes, and hostile file names and lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyd_tui.cli.builds.lint_report import LintFlags, lint_path, report_lines, summary_line
from pyd_tui.cli.commands.image.lint import command
from pyd_tui.console.global_options import State


def run(*arguments: str, input_text: str | None = None) -> tuple[int, str]:
    runner = CliRunner()
    outcome = runner.invoke(command, arguments, input=input_text, obj=State(), standalone_mode=False)
    if outcome.exception is not None:
        raise outcome.exception
    return outcome.return_value, outcome.output


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM a:1\nENV a b\nUSER u\n")
    (tmp_path / ".dockerignore").write_text("*.key\n")
    return tmp_path


def test_a_finding_has_file_line_rule_excerpt_and_hint(context: Path):
    code, text = run(str(context))
    assert code == 1
    message = '"ENV key=value" should be used instead of legacy "ENV key value" format'
    assert text.splitlines() == [
        f"{context}/Dockerfile:2: warning: LegacyKeyValueFormat: {message}",
        "  2 | ENV a b",
        "    | ^^^^^^^",
        "  hint: ENV a=…",
        "1 warning; pyd lint --fix fixes 1",
    ]


def test_fixes_are_written_to_the_file(context: Path):
    code, text = run("--fix", str(context))
    assert (code, "fixed: LegacyKeyValueFormat" in text) == (0, True)
    assert (context / "Dockerfile").read_text() == "FROM a:1\nENV a=b\nUSER u\n"


def test_json_has_an_entry_for_each_finding(context: Path):
    state = State()
    state.json = True
    outcome = CliRunner().invoke(command, [str(context)], obj=state, standalone_mode=False)
    entries = json.loads(outcome.output)
    assert [(entry["line"], entry["rule"], entry["severity"], entry["fixable"]) for entry in entries] == [
        (2, "LegacyKeyValueFormat", "warning", True)
    ]


def test_sarif_is_written_for_several_files(context: Path):
    other = context / "Other.dockerfile"
    other.write_text("FROM a\nUSER u\n")
    code, text = run("--sarif", str(context), str(other))
    results = json.loads(text)["runs"][0]["results"]
    assert code == 1
    assert [result["ruleId"] for result in results] == ["LegacyKeyValueFormat", "UnpinnedBase"]


def test_advice_fails_only_when_strict(tmp_path: Path):
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a\nUSER u\n")
    assert run(str(file))[0] == 0
    assert run("--strict", str(file))[0] == 1
    assert run("--strict", "--skip", "UnpinnedBase", str(file))[0] == 0
    assert run("--strict", "--no-advice", str(file))[0] == 0


def test_a_file_that_cannot_be_read_exits_with_2(tmp_path: Path):
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a:1\nRUNN x\n")
    code, text = run(str(file))
    assert code == 2
    assert "error: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)" in text
    assert "  2 | RUNN x" in text


def test_the_ignore_file_of_the_dockerfile_comes_first(context: Path):
    (context / "App.dockerfile").write_text("FROM a:1\nCOPY a.txt b.key /\nUSER u\n")
    (context / "App.dockerfile.dockerignore").write_text("*.txt\n")
    flags = LintFlags(file="App.dockerfile", experimental=("all",))
    report = lint_path(str(context), flags)
    assert [finding.message for finding in report.findings] == [
        'Attempting to Copy file "a.txt" that is excluded by .dockerignore'
    ]


def test_hostile_lines_reach_the_terminal_harmless(tmp_path: Path):
    file = tmp_path / "Dockerfile"
    file.write_bytes(b"FROM a:1\nENV a\x1b[2J b\x9b\nUSER u\nRUN\x1b]0;x\x07 y\n")
    report = lint_path(str(file), LintFlags())
    text = "\n".join([*report_lines(report), summary_line([report])])
    assert "\x1b" not in text
    assert "\x9b" not in text
