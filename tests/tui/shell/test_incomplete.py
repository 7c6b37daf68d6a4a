"""Detection of incomplete lines, compared with a real bash."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyd_tui.shell.incomplete import is_incomplete
from support.missing import missing

COMPLETE = [
    "ls -l",
    "echo 'it is' \"so\" # isn't it",
    "for i in 1 2; do echo $i; done",
    "if true; then echo a; elif false; then b; else c; fi",
    "while read -r x; do echo $x; done < file",
    "case $x in a) echo 1 ;; (b) echo 2 ;; *) ;; esac",
    "f() { echo hi; }",
    "( cd / && ls )",
    "echo $(ls $(pwd)) `date`",
    "cat <<END\ntext 'open\nEND",
    "cat <<-'E' | tr a b\n\tx\n\tE",
    "echo ${x:-'a'} $((1 + (2)))",
    "echo done if then",
    "echo a\\\nb",
    "cat <<<word",
    "echo $'it\\'s'",
    "ls || echo b && c",
    "sleep 1 &",
    "[[ a == b ]] && { echo x; }",
    "grep -E '(a|b)' file 2>&1 >/dev/null",
    "for ((i=0; i<3; i++)); do echo $i; done",
    "echo }",
    "until false; do break; done; echo x",
]
INCOMPLETE = [
    "echo 'open",
    'echo "open $(ls)',
    "for i in 1 2; do",
    "for i in 1 2",
    "if true; then echo a",
    "while true; do case x in a) ;;",
    "case $x in a) echo 1",
    "f() {",
    "( cd /",
    "echo $(ls",
    "echo `date",
    "cat <<END",
    "cat <<END\ntext",
    "ls |",
    "ls &&",
    "ls ||  # why not",
    "echo a\\\n",
    "echo ${x",
    "{ echo a;",
    "if true; then f() { x; }",
]


@pytest.mark.parametrize("text", COMPLETE)
def test_a_complete_text_is_run(text: str):
    assert not is_incomplete(text)


@pytest.mark.parametrize("text", INCOMPLETE)
def test_an_incomplete_text_is_continued(text: str):
    assert is_incomplete(text)


def test_a_backslash_at_the_end_continues_the_line():
    assert is_incomplete("echo a\\")


def test_bash_agrees_with_the_examples():
    bash = shutil.which("bash")
    if bash is None:
        missing("bash")
    for text in [*COMPLETE, *INCOMPLETE]:
        done = subprocess.run([bash, "-n"], input=text + "\n", capture_output=True, text=True, check=False)
        begun = "unexpected end of file" in done.stderr or "unexpected EOF" in done.stderr
        begun = begun or "delimited by end-of-file" in done.stderr
        if not text.endswith("\\\n"):
            assert begun is is_incomplete(text), (text, done.stderr)


@given(st.text(alphabet="ab '\"\\|&;<>(){}$`#\nifdoesac"))
def test_every_text_is_classified(text: str):
    assert is_incomplete(text) in (True, False)
