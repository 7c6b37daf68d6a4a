"""Lines of a probe's output that name its error, around usage texts."""

from __future__ import annotations

import pytest

from pyd_core.triage.usage_text import last_line_of_error

BUSYBOX = """nc: invalid option -- 'z'
BusyBox v1.37.0 (Debian 1:1.37.0-6) multi-call binary.

Usage: nc [-iN] [-wN] [-l] [-p PORT] [-f FILE|IPADDR PORT] [-e PROG]

Open a pipe to IP:PORT or FILE

\t-l\tListen mode, for inbound connects
\t-e PROG\tRun PROG after connect
"""
CURL = """curl: option --foo: is unknown
curl: try 'curl --help' or 'curl --manual' for more information
"""
WGET = """wget: unrecognized option '--foo'
Usage: wget [OPTION]... [URL]...

Try `wget --help' for more options.
"""
ARGPARSE = """checking
usage: probe [-h] [--port PORT]
             url
probe: error: unrecognized arguments: --foo
"""


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (BUSYBOX, "nc: invalid option -- 'z'"),
        (CURL, "curl: option --foo: is unknown"),
        (WGET, "wget: unrecognized option '--foo'"),
        (ARGPARSE, "probe: error: unrecognized arguments: --foo"),
        (BUSYBOX.split("\n", 1)[1], ""),
        ("starting\nnot ready\n\n", "not ready"),
        ("disk is full\nusage: 97 %\n", "usage: 97 %"),
        ("disk usage: high\n", "disk usage: high"),
        ("", ""),
    ],
)
def test_the_last_line_outside_a_usage_text_names_the_error(output: str, line: str):
    assert last_line_of_error(output.splitlines()) == line
