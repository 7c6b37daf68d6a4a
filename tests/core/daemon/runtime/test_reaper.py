"""Processes that fall to the engine, in a process of its own: who adopts orphans adopts all of them."""

from __future__ import annotations

import subprocess
import sys
import textwrap

BEGIN = """
import asyncio, os, tempfile
from pyd_core.daemon.runtime import subprocesses
from pyd_core.daemon.runtime.reaper import OrphanReaper
from pyd_core.linux.reaper import become_subreaper

async def left(code):
    "Have a shell leave a process behind that exits with this code on request; return its pid."
    with tempfile.TemporaryDirectory() as directory:
        os.mkfifo(f"{directory}/word")
        waits = f"exec >&- 2>&-; read word < {directory}/word; exit {code}"
        done = await subprocesses.run(["sh", "-c", f"sh -c '{waits}' & echo $!"])
        with open(f"{directory}/word", "w") as word:
            word.write("now\\n")
        await subprocesses.ended(int(done.out))
        return int(done.out)

async def gone(pid):
    while os.path.exists(f"/proc/{pid}"):
        await asyncio.sleep(0.01)

async def body():
    become_subreaper()
    orphans = OrphanReaper()
    orphans.begin()
"""


def run(body: str) -> str:
    script = BEGIN + textwrap.indent(textwrap.dedent(body), "    ") + "\nasyncio.run(body())\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_orphans_are_reaped_when_they_exit():
    run("await gone(await left(0))")


def test_a_late_request_for_an_exit_code_is_answered():
    output = run("""
        pid = await left(7)
        await gone(pid)
        print(orphans.code(pid), orphans.code(pid))
    """)
    assert output == "7 None\n"


def test_an_awaited_program_keeps_its_exit_code_however_long_its_output_stays_open():
    output = run("""
        done = await subprocesses.run(["sh", "-c", "sleep 1 & exit 9"])
        print(done.code)
    """)
    assert output == "9\n"
