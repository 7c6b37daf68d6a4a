"""The installed `pyd`, run as its users run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path


class Run:
    """Runs the installed `pyd` against the tests' engine and returns what it printed, as text.

    Args:
        pyd: The command.
        host: The engine.
    """

    def __init__(self, pyd: Path, host: str) -> None:
        self.pyd = pyd
        # A history of its own: that of the machine is none of a test's.
        history = tempfile.mkdtemp(prefix="pyd-test-history-")
        weakref.finalize(self, shutil.rmtree, history, ignore_errors=True)
        self.host = {"DOCKER_HOST": host, "PYD_HISTORY": f"{history}/history.db"}
        self.env = {**os.environ, **self.host}

    def __call__(self, *arguments: str, stdin: bytes = b"", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one command line; bytes that aren't UTF-8 are kept as surrogates."""
        done = subprocess.run(
            [self.pyd, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=120,
            env={**self.env, **variables},
        )
        out, err = (stream.decode(errors="surrogateescape") for stream in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)
