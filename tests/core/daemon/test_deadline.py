"""An engine's deadline, in a process that blocks in one call that holds Python's lock."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

BLOCKED = """
import asyncio, re, signal
from pyd_core.daemon.deadline import Deadline

async def main():
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    with Deadline(signal.SIGHUP) as deadline:
        print("ready", flush=True)
        if {hangs}:
            re.match("(a+)+$", "a" * 64 + "!")
        await over.wait()
        deadline.met()
        await asyncio.sleep(1.5)
        print("ended", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("hangs", [True, False])
def test_sigterm_ends_a_process_that_runs_no_python_code_and_lets_others_end_themselves(hangs: bool):
    """Version 0.1 in such a call had to be killed; the signal's number, one, is the seconds it has."""
    command = [sys.executable, "-c", BLOCKED.format(hangs=hangs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate()
    if hangs:
        assert (process.returncode, out) == (-signal.SIGALRM, "")
        assert 'File "<string>"' in err
    else:
        assert (process.returncode, out, err) == (0, "ended\n", "")
