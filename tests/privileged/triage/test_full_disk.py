"""The history on a disk that is full: a file system of its own in a mount namespace of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, sys
from pathlib import Path
from pyd_core.errors import ConfigError
from pyd_core.watch.history_store import Death, HistoryReader, HistoryStore
from pyd_core.triage.verdict import Verdict
path = Path(sys.argv[1]) / "history.db"
verdict = Verdict(name="web", cause="app-error", confidence=1, summary="x")
def death(n):
    return Death(name="web", container="c", ended_ns=n, verdict=verdict, lines=(os.urandom(3000).hex(),))
store = HistoryStore(path)
written, said = 0, ""
for n in range(200):
    try:
        store.add([death(n + 1)])
        written = n + 1
    except ConfigError as error:
        said = error.hint
store.close()
reader = HistoryReader(path)
newest = reader.deaths()[0].ended_ns
reader.close()
print(written, newest, said)
"""


def test_a_full_disk_is_said_or_made_room_on_and_nothing_is_damaged(tmp_path: Path) -> None:
    directory = tmp_path / "small"
    directory.mkdir()
    mount = 'mount -t tmpfs -o size=400k tmpfs "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh", directory, sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written, newest, *output = done.stdout.split(maxsplit=2)
    assert int(newest) == int(written)
    assert int(written) == 200 or "disk space" in output[0]
