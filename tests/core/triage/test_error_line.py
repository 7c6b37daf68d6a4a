"""Lines of output that name an error, and lines with such words by chance."""

from __future__ import annotations

from pyd_core.triage.error_line import RECENT_NS
from pyd_core.triage.evidence import EvidenceLogLine
from pyd_core.triage.phrases import credible_output, find_phrases

END_NS = 10**15


def causes(*lines: EvidenceLogLine) -> list[str]:
    return [finding.cause for finding in find_phrases(credible_output(lines, END_NS))]


def out(text: str, age_ns: int = 0) -> EvidenceLogLine:
    return EvidenceLogLine(stream="stdout", text=text, time_ns=END_NS - age_ns)


def err(text: str, age_ns: int = 0) -> EvidenceLogLine:
    return EvidenceLogLine(stream="stderr", text=text, time_ns=END_NS - age_ns)


def test_words_of_an_error_before_the_line_of_the_error_are_there_by_chance():
    assert causes(out("connection refused by policy for 3 bots"), err("ERROR: QUEUE_URL is not set")) == ["missing-env"]
    assert causes(out("permission denied for guest"), out("level=error msg=boom"), out("bye")) == []


def test_words_of_an_error_long_before_the_end_are_there_by_chance_unless_they_were_printed_as_an_error():
    assert causes(out("cache: no such file or directory", RECENT_NS + 1), out("bye")) == []
    assert causes(err("open: no such file or directory", RECENT_NS + 1), out("bye")) == ["missing-file"]


def test_a_program_that_prints_everything_to_stdout_still_names_its_error():
    assert causes(out("starting"), out("fatal: no such file: /etc/app/config.yml")) == ["missing-file"]
    assert causes(err("warming up"), out("bind: address already in use")) == ["address-in-use"]
