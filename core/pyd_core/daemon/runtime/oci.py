"""The OCI runtime: which one, and its verbs."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pyd_core.daemon.runtime import subprocesses
from pyd_core.errors import Conflict, EngineError, NotFound, Unsupported

CGROUPS = Path("/sys/fs/cgroup")


def unified() -> bool:
    """Whether cgroup v2 is all this host mounts."""
    return (CGROUPS / "cgroup.controllers").exists()


def hybrid() -> bool:
    """Whether v1 is mounted and v2 too: crun refuses such hosts when v2 still owns a controller."""
    return not unified() and (CGROUPS / "unified").exists()


def remove_parent(name: str) -> None:
    """Removes the group all containers lay in, from each hierarchy; where one is left in it, it stays."""
    for place in (CGROUPS, *CGROUPS.iterdir()):
        with contextlib.suppress(OSError):
            (place / name).rmdir()


def write_plan(path: Path, plan: dict[str, Any]) -> None:
    """Writes a container's or a process's plan for a runtime (config.md of the OCI runtime specification).

    Its directory lets others pass to what is mounted there, and the environment is no concern of theirs.
    """
    path.touch(mode=0o600)
    path.write_text(json.dumps(plan))


def find(name: str) -> str | None:
    """Returns the path of a runtime by its program's name or path, also where PATH leaves the system's places out."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def choose(wanted: str = "") -> str:
    """Returns the path of the runtime to use: the one named, else crun, which starts five times faster, else runc.

    Raises:
        Unsupported: There is none.
    """
    names = [wanted] if wanted else (["runc", "crun"] if hybrid() else ["crun", "runc"])
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
    """One OCI runtime with its own state directory."""

    path: str
    state: Path
    options: tuple[str, ...] = ()
    """Of the program, before the verb."""

    @property
    def name(self) -> str:
        """Its program's name."""
        return Path(self.path).name

    @property
    def arguments(self) -> list[str]:
        """The command up to the verb."""
        return [self.path, *self.options, "--root", str(self.state)]

    @cached_property
    def is_runc(self) -> bool:
        """Whether it takes runc's own options."""
        return self.name.startswith("runc")

    async def call(self, *arguments: str) -> bytes:
        """Runs a verb and returns what it printed.

        Raises:
            NotFound: It knows no such container.
            Conflict: The container isn't in a state for that.
            EngineError: It failed otherwise.
        """
        done = await subprocesses.run([*self.arguments, *arguments])
        if done.code != 0:
            raise failure(self.name, done.err)
        return done.out

    async def start(self, key: str) -> None:
        """Lets the created process go on."""
        await self.call("start", key)

    async def kill(self, key: str, signal: int) -> None:
        """Sends a signal to the main process."""
        await self.call("kill", key, str(signal))

    async def pause(self, key: str) -> None:
        """Freezes all its processes."""
        await self.call("pause", key)

    async def resume(self, key: str) -> None:
        """Lets them go on."""
        await self.call("resume", key)

    async def delete(self, key: str) -> None:
        """Removes its cgroup and state, killing what is left; no complaint if there is nothing."""
        done = await subprocesses.run([*self.arguments, "delete", "--force", key])
        if done.code != 0 and (self.state / key).exists():
            raise failure(self.name, done.err)

    async def update(self, key: str, resources: dict[str, object]) -> None:
        """Changes the limits of a living container."""
        done = await subprocesses.run(
            [*self.arguments, "update", "--resources", "/dev/stdin", key], stdin=json.dumps(resources).encode()
        )
        if done.code != 0:
            raise failure(self.name, done.err)

    def known(self) -> list[str]:
        """Returns the containers it has state of."""
        return [each.name for each in self.state.iterdir()] if self.state.is_dir() else []


_CRUN = (
    (r"executable file `([^`]*)` not found", r'exec: "\1": executable file not found'),
    (r"the path `([^`]*)` exists but it is not executable.*", r'exec: "\1": permission denied'),
    (r"the path `([^`]*)` is not a regular file.*", r'exec: "\1": is a directory: permission denied'),
    (r"mount `([^`]*)` to `([^`]*)`: Not a directory", r'error mounting "\1" to rootfs at "/\2": not a directory'),
)
"""crun's words, of 1.21, as runc's: clients look for those to choose their exit code."""


def failure(name: str, printed: bytes) -> Exception:
    """Reads a runtime's complaint, text or JSON lines, as an error."""
    text = printed.decode(errors="replace").strip()
    lines = text.splitlines() or ["no message"]
    last = lines[-1]
    if last.startswith("{"):
        with contextlib.suppress(ValueError, KeyError):
            last = json.loads(last)["msg"]
    elif 'msg="' in last:
        last = last.partition('msg="')[2].rstrip('"').replace('\\"', '"')
    for theirs, words in _CRUN:
        last = re.sub(theirs, words, last)
    for words in ("No such file or directory", "Permission denied"):
        last = last.replace(words, words.lower())
    last = last.removeprefix("runc run failed: ").removeprefix("runc create failed: ")
    if "does not exist" in last and "container" in last:
        return NotFound(last)
    if any(words in last for words in ("cannot pause", "container that has stopped")):
        return Conflict(last)
    if "not running" in last or "process already finished" in last or "not paused" in last:
        return Conflict(last)
    return EngineError(f"{name}: {last}", status=400 if _is_callers(last) else 500)


def _is_callers(text: str) -> bool:
    """Whether the command, not the engine, is at fault: not found, not executable."""
    return "executable file not found" in text or "no such file or directory" in text or "permission denied" in text
