"""Attacks on `pyd debug`: hostile containers on each engine, and what of the host they must not reach."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.docker import LONE, Docker, busybox_files, compile_static

PYD = Path(os.environ.get("PYD_UNDER_TEST") or Path(sys.executable).with_name("pyd"))
"""The command that is attacked: the installed one, or another version's, on which an attack is to succeed."""

EVERY = bool(os.environ.get("PYD_ATTACKS"))
"""Whether to try each descriptor number and seed, which takes long, or those that are most telling."""

PROGRAMS = Path(__file__).parents[1] / "privileged/attacks/programs"
NAMES = ("climb", "facts", "handle", "keys", "node", "pass", "remount", "watch")

STATES = ("running", "stopped", "image")
IDENTITIES = ("root", "target", "1000")

SAME_ELSEWHERE = "the same kernel work on every engine; PYD_ATTACKS=1 tries it there, too"

SESSION_TIMEOUT_S = 300

UNCHANGED = "only the host reads this: "


def compile_programs(directory: Path) -> dict[str, Path]:
    """Compile the attack programs, static, and return them by name."""
    return {name: compile_static((PROGRAMS / f"{name}.c").read_text(), directory / name) for name in NAMES}


@dataclass
class Marker:
    """A file of the host that no container has a path to; an attack that reads or changes it has reached the host."""

    path: Path
    text: str = field(default_factory=lambda: f"{UNCHANGED}{uuid.uuid4().hex}\n")

    def __post_init__(self) -> None:
        self.path.write_text(self.text)
        self.path.chmod(0o600)

    def assert_unreached(self, *outputs: str) -> None:
        """Assert that its content is what it was, and in no output."""
        content = self.path.read_text()
        self.path.write_text(self.text)  # the next attack starts from it again
        assert content == self.text, "a file of the host was changed"
        for output in outputs:
            assert self.text.strip() not in output, f"a file of the host was read:\n{output}"

    def handle(self) -> tuple[str, str]:
        """Return type and bytes, as hexadecimal digits, of its file handle (name_to_handle_at(2))."""
        buffer = ctypes.create_string_buffer(8 + 128)
        ctypes.c_uint.from_buffer(buffer).value = 128
        mount = ctypes.c_int()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.name_to_handle_at(-100, os.fsencode(self.path), buffer, ctypes.byref(mount), 0) != 0:
            raise OSError(ctypes.get_errno(), "name_to_handle_at")
        length = ctypes.c_uint.from_buffer(buffer).value
        return str(ctypes.c_int.from_buffer(buffer, 4).value), buffer.raw[8 : 8 + length].hex()


@dataclass
class Lab:
    """Engine on which to attack `pyd debug`.

    Args:
        engine: The engine's name: docker, podman or pydd.
        corner: Commands of it.
        programs: The attack programs.
        secret: A value of the user's environment that no container may learn.
    """

    engine: str
    corner: Docker
    programs: dict[str, Path]
    secret: str = field(default_factory=lambda: f"secret-{uuid.uuid4().hex}")

    def __post_init__(self) -> None:
        files: dict[str, bytes | Path | str] = {f"bin/{name}": path for name, path in self.programs.items()}
        self.files = {**busybox_files(), **files, "etc/passwd": "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n"}
        self.image = self.build("hostile", {})

    def build(self, short: str, files: dict[str, bytes | Path | str], *changes: str) -> str:
        """Make an image with the attack programs and these files, and return its name."""
        modes = {"tmp": 0o1777}
        more = (*changes, 'CMD ["/bin/sh"]')
        return self.corner.image(short, self.files | files, *more, directories=("tmp", "etc", "srv"), modes=modes)

    def start(self, short: str, *command: str, options: Sequence[str] = (), image: str = "") -> str:
        """Start a container without a network and return its name."""
        network = () if "--network" in options else LONE[:2]
        return self.corner.run(
            short,
            image or self.image,
            *(command or ("sleep", "100000")),
            options=(*network, *LONE[2:], "--init", *options) if not command else (*network, *LONE[2:], *options),
        )

    def target(self, state: str, short: str, image: str, options: Sequence[str] = ()) -> str:
        """Return what `pyd debug` is given for a container of an image in a state, or for the image itself."""
        if state == "image":
            return f"image:{image}"
        if state == "running":
            return self.start(short, image=image, options=options)
        return self.corner.create(short, image, "sleep", "100000", options=(*LONE, *options))

    def root(self, name: str) -> Path:
        """Return the path of a running container's root on the host."""
        return Path(f"/proc/{self.pid(name)}/root")

    def pid(self, name: str) -> int:
        """Return the number of a container's main process."""
        return int(self.corner.inspect(name)["State"]["Pid"])

    def command(self, target: str, *arguments: str, identity: str = "root", options: Sequence[str] = ()) -> list[str]:
        """Return the command line of a session."""
        return [str(PYD), "-H", self.corner.host, "debug", "--as", identity, *options, target, *arguments]

    def environment(self) -> dict[str, str]:
        """Return a user's environment, with the secret in it and nothing that changes pyd's defaults."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYD_")}
        return {**kept, "USERS_SECRET": self.secret}

    def debug(
        self,
        target: str,
        *arguments: str,
        identity: str = "root",
        options: Sequence[str] = (),
        before: Sequence[str] = (),
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a session to its end; `before` is what starts it."""
        return subprocess.run(
            [*before, *self.command(target, *arguments, identity=identity, options=options)],
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=SESSION_TIMEOUT_S,
            env=self.environment(),
        )
