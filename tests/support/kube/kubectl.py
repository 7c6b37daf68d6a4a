"""Debian's kubectl, unchanged, against a scripted cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from support.missing import missing

TIMEOUT_S = 120


class Kubectl:
    """Runs kubectl with a kubeconfig, and a home directory of its own for its caches.

    Args:
        kubeconfig: The kubeconfig.
        home: The home directory.
    """

    def __init__(self, kubeconfig: Path, home: Path) -> None:
        program = shutil.which("kubectl")
        if program is None:
            missing("kubernetes-client")
        self.program = program
        self.env = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(home)}

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run it, whatever its exit code is."""
        return subprocess.run(
            [self.program, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
            env=self.env,
        )

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """Run it, and return its output; it must succeed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Run it with `-o json`, and return the document."""
        return json.loads(self(*arguments, "-o", "json"))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it with pipes."""
        return subprocess.Popen(
            [self.program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.env,
        )
