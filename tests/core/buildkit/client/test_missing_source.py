"""Why COPY finds no file."""

from __future__ import annotations

from pathlib import Path

from pyd_core.buildkit.client.failure import clean_message
from pyd_core.buildkit.client.missing_source import deciding_rule, describe_context, explain_missing_source

MESSAGE = (
    'failed to solve: failed to compute cache key: failed to calculate checksum of ref a::b: "/src/app.log": not found'
)


def test_the_message_is_short():
    assert clean_message(MESSAGE) == '"/src/app.log": not found'
    assert clean_message("a\x1b]0;x\x07\nb") == "a␛]0;x␇ b"
    assert clean_message(None)


def test_the_rule_that_took_the_file_is_named(tmp_path: Path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.log").touch()
    (tmp_path / ".dockerignore").write_text("# logs\n!src\n**/*.log\n")
    assert explain_missing_source(MESSAGE, tmp_path, None) == (
        "src/app.log is left out by line 3 of .dockerignore: **/*.log"
    )
    (tmp_path / "Dev.dockerignore").write_text("src\n")
    explanation = explain_missing_source(MESSAGE, tmp_path, tmp_path / "Dev")
    assert explanation == "src/app.log is left out by line 1 of Dev.dockerignore: src"
    (tmp_path / ".dockerignore").unlink()
    assert "is in the context" in explain_missing_source(MESSAGE, tmp_path, None)


def test_similar_names_are_offered(tmp_path: Path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.logs").touch()
    assert explain_missing_source(MESSAGE, tmp_path, None) == "did you mean src/app.logs?"
    (tmp_path / "src/app.logs").unlink()
    assert "isn't in the context" in explain_missing_source(MESSAGE, tmp_path, None)


def test_the_context_is_listed_with_what_is_left_out(tmp_path: Path):
    (tmp_path / "src").mkdir()
    for name in ("a", "b.log", "c\x1b"):
        (tmp_path / "src" / name).touch()
    (tmp_path / ".dockerignore").write_text("**/*.log\n")
    assert describe_context(MESSAGE, tmp_path, None) == [
        "in the context, in src:", "  a", "  b.log  (left out by line 1 of .dockerignore: **/*.log)", "  c␛",
    ]  # fmt: skip
    assert describe_context('"/no/where/x": not found', tmp_path, None)[0] == "in the context:"
    assert describe_context('"/../x": not found', tmp_path, None) == []


def test_other_messages_and_paths_that_lead_out_are_not_explained(tmp_path: Path):
    assert explain_missing_source("exit code: 1", tmp_path, None) == ""
    assert explain_missing_source('"/../etc/passwd": not found', tmp_path, None) == ""


def test_the_last_rule_that_matches_decides():
    assert deciding_rule(b"a*\n!ab\n#ab\n\nab*\n", "ab") == (5, "ab*")
    assert deciding_rule(b"a*\n!ab\n", "ab") is None
    assert deciding_rule(b"src\n", "src/x") == (1, "src")
