"""In a real terminal: a step of a distroless image fails, its missing file is found and added, the build succeeds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builds.conftest import Builders
from support.docker import LABEL, Docker
from support.terminal import Terminal

PROGRAM = """
#include <stdio.h>
int main(void) {
    FILE *rules = fopen("/etc/app/rules.conf", "r");
    if (!rules) { perror("app: /etc/app/rules.conf"); return 3; }
    fclose(fopen("/checked", "w"));
    puts("rules are fine");
    return 0;
}
"""


@pytest.fixture(params=["docker", "pydd"])
def engine(request: pytest.FixtureRequest, builders: Builders) -> Docker:
    chosen: Docker = getattr(builders, request.param)
    return chosen


@pytest.fixture
def distroless(tmp_path: Path) -> Path:
    """Return a context with a program, its libraries and nothing else: no shell, no tools."""
    root = tmp_path / "context"
    root.mkdir()
    (tmp_path / "app.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-o", root / "app", tmp_path / "app.c"], check=True)
    shown = subprocess.run(["ldd", root / "app"], capture_output=True, text=True, check=True).stdout
    for path in (word for word in shown.split() if word.startswith("/")):
        target = root / "libraries" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(path).read_bytes())
        target.chmod(0o755)
    (root / "conf").mkdir()
    (root / "conf/app.rules").write_text("allow all\n")
    (root / "Dockerfile").write_text(
        "FROM scratch AS distroless\nCOPY libraries/ /\n\nFROM distroless\nCOPY app /usr/bin/app\n"
        'COPY conf/ /etc/app/\nWORKDIR /srv\nRUN ["/usr/bin/app"]\n'
    )
    return root


def pictured(terminal: Terminal, name: str) -> None:
    """Save a picture of the terminal where the environment names a directory for them."""
    if directory := os.environ.get("PYD_PICTURES"):
        terminal.png(Path(directory) / f"{name}.png")


def test_the_missing_file_is_found_with_tools_added_and_the_build_succeeds(engine: Docker, distroless: Path) -> None:
    image = engine.name("distroless")
    program = str(Path(sys.executable).with_name("pyd"))
    label = f"{LABEL}={engine.prefix}"
    command = [program, "-H", engine.host, "build", "-t", image, "--debug", "--label", label, str(distroless)]
    kind = "pydd" if "pydd" in engine.host else "docker"
    with Terminal(command) as terminal:
        terminal.wait_for(":/srv#")
        pictured(terminal, f"{kind}-failed")
        terminal.type("ls /etc/app; strace -f -e trace=openat /usr/bin/app 2>&1 | grep rules; try")
        terminal.keys("Enter")
        terminal.wait_for("exit code 3")
        assert "app: /etc/app/rules.conf: No such file or directory" in terminal.screen
        assert "app.rules" in terminal.screen
        assert 'openat(AT_FDCWD, "/etc/app/rules.conf", O_RDONLY) = -1 ENOENT' in terminal.screen
        pictured(terminal, f"{kind}-found")
        (distroless / "conf/app.rules").rename(distroless / "conf/rules.conf")  # as in another terminal
        terminal.type("rerun")
        terminal.keys("Enter")
        terminal.wait_for("image   ")
        assert terminal.wait_exit() == 0
        pictured(terminal, f"{kind}-done")
    assert engine.inspect(image)["Config"]["WorkingDir"] == "/srv"
    saved = subprocess.run(["docker", "-H", engine.host, "history", image], capture_output=True, text=True, check=True)
    assert "/usr/bin/app" in saved.stdout
