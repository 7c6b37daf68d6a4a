"""OCI runtimes: selection, and their commands."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pyd_core.daemon.runtime import subprocesses
from pyd_core.daemon.runtime.planned_spec import PlannedProcess, PlannedSpec
from pyd_core.errors import Conflict, EngineError, NotFound, Unsupported

CGROUPS = Path("/sys/fs/cgroup")
COMMAND_TIMEOUT_S = 120.0
"""How long a command of the runtime may take; a start has its own limit."""


def unified() -> bool:
    """Return whether this host mounts only cgroup v2."""
    return (CGROUPS / "cgroup.controllers").exists()


def hybrid() -> bool:
    """Return whether both v1 and v2 are mounted: crun refuses such hosts if v2 still owns a controller."""
    return not unified() and (CGROUPS / "unified").exists()


def remove_group(name: str) -> None:
    """Remove a group from each hierarchy, unless a process or another group is left in it."""
    for hierarchy in (CGROUPS, *CGROUPS.iterdir()):
        with contextlib.suppress(OSError):
            (hierarchy / name).rmdir()


def write_plan(path: Path, plan: PlannedSpec | PlannedProcess) -> None:
    """Write a container's or process's plan for a runtime (config.md of the OCI runtime specification).

    Other users may traverse its directory to reach mounts, but must not read the environment.
    """
    path.touch(mode=0o600)
    path.write_text(json.dumps(plan))


def find(name: str) -> str | None:
    """Return the path of a runtime by program name or path, including system directories that PATH lacks."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def choose(requested: str = "") -> str:
    """Return the path of the runtime: the requested one, else crun, which starts five times faster, else runc.

    Raises:
        Unsupported: None is installed.
    """
    names = [requested] if requested else (["runc", "crun"] if hybrid() else ["crun", "runc"])
    for name in names:
        path = find(name)
        if path:
            return path
    raise Unsupported(
        f"no OCI runtime found ({' or '.join(names)})",
        hint="install one: apt-get install crun runc",
        reference="no-runtime",
    )


@dataclass(frozen=True)
class Runtime:
    """OCI runtime with its own state directory."""

    path: str
    state: Path
    options: tuple[str, ...] = ()
    """Options of the program, before the command."""

    @property
    def name(self) -> str:
        """The name of its program."""
        return Path(self.path).name

    @property
    def arguments(self) -> list[str]:
        """The command line up to the command."""
        return [self.path, *self.options, "--root", str(self.state)]

    @cached_property
    def is_runc(self) -> bool:
        """Whether it has runc's own options."""
        return self.name.startswith("runc")

    async def call(self, *arguments: str) -> bytes:
        """Run a command and return its output.

        Raises:
            NotFound: The container is unknown.
            Conflict: The container is in the wrong state.
            EngineError: It failed for another reason, or took longer than `COMMAND_TIMEOUT_S`.
        """
        result = await self._run(*arguments)
        if result.code != 0:
            raise failure(self.name, result.err)
        return result.out

    async def _run(self, *arguments: str, stdin: bytes = b"") -> subprocesses.CompletedProgram:
        """Run a command, and kill it with its helpers after a time: it may wait for a process that never ends."""
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                return await subprocesses.run([*self.arguments, *arguments], stdin=stdin, group=True)
        except TimeoutError:
            raise EngineError(
                f"{self.name} {arguments[0]} took longer than {COMMAND_TIMEOUT_S:.0f} seconds",
                reference="runtime-timeout",
            ) from None

    async def start(self, key: str) -> None:
        """Start the created process; the caller limits the time, because hooks may take long."""
        result = await subprocesses.run([*self.arguments, "start", key])
        if result.code != 0:
            raise failure(self.name, result.err)

    async def kill(self, key: str, signal: int) -> None:
        """Send a signal to the main process."""
        await self.call("kill", key, str(signal))

    async def pause(self, key: str) -> None:
        """Freeze all its processes."""
        await self.call("pause", key)

    async def resume(self, key: str) -> None:
        """Unfreeze all its processes."""
        await self.call("resume", key)

    async def delete(self, key: str) -> None:
        """Remove its cgroup and state, killing remaining processes; do nothing if there are none."""
        result = await self._run("delete", "--force", key)
        if result.code != 0 and (self.state / key).exists():
            raise failure(self.name, result.err)

    async def update(self, key: str, resources: dict[str, object]) -> None:
        """Change the limits of a container."""
        result = await self._run("update", "--resources", "/dev/stdin", key, stdin=json.dumps(resources).encode())
        if result.code != 0:
            raise failure(self.name, result.err)

    def known(self) -> list[str]:
        """Return the containers that it has state of."""
        return [directory.name for directory in self.state.iterdir()] if self.state.is_dir() else []


_CRUN_MESSAGES = (
    (r"executable file `([^`]*)` not found", r'exec: "\1": executable file not found'),
    (r"the path `([^`]*)` exists but it is not executable.*", r'exec: "\1": permission denied'),
    (r"the path `([^`]*)` is not a regular file.*", r'exec: "\1": is a directory: permission denied'),
    (r"mount `([^`]*)` to `([^`]*)`: Not a directory", r'error mounting "\1" to rootfs at "/\2": not a directory'),
)
"""Messages of crun 1.21 as runc's: clients match those to choose their exit code."""


def failure(name: str, printed: bytes) -> Exception:
    """Return the error for a runtime's output, text or JSON lines."""
    text = printed.decode(errors="replace").strip()
    lines = text.splitlines() or ["no message"]
    message = lines[-1]
    if message.startswith("{"):
        with contextlib.suppress(ValueError, KeyError):
            message = json.loads(message)["msg"]
    elif 'msg="' in message:
        message = message.partition('msg="')[2].rstrip('"').replace('\\"', '"')
    for pattern, words in _CRUN_MESSAGES:
        message = re.sub(pattern, words, message)
    for words in ("No such file or directory", "Permission denied"):
        message = message.replace(words, words.lower())
    message = message.removeprefix("runc run failed: ").removeprefix("runc create failed: ")
    if "does not exist" in message and "container" in message:
        return NotFound(message)
    if any(words in message for words in ("cannot pause", "container that has stopped")):
        return Conflict(message)
    if "not running" in message or "process already finished" in message or "not paused" in message:
        return Conflict(message)
    return EngineError(f"{name}: {message}", status=400 if _is_command_error(message) else 500)


def _is_command_error(text: str) -> bool:
    """Return whether the command is at fault rather than the engine: not found, not executable."""
    return "executable file not found" in text or "no such file or directory" in text or "permission denied" in text
