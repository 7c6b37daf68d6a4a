"""Programs that the dashboard starts: Compose on a project, and the user's own commands."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.config.settings import UserCommand
from pyd_tui.dashboard.actions.user_commands import command_line
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.render.env import mask_text
from pyd_tui.dashboard.render.figures import counted
from pyd_tui.dashboard.resources.system import STOPPED_STATES

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.protocols import ActionHost

COMPOSE = ("up", "down", "restart", "start", "stop", "pull", "ps", "logs")
"""The Compose commands on a project."""
_ASKS = {"down": "Take down", "stop": "Stop", "restart": "Restart"}
"""The commands that ask first, and the verbs of their questions."""
_READS = frozenset({"ps", "logs"})
_FILES = "com.docker.compose.project.config_files"
_WORKING_DIRECTORY = "com.docker.compose.project.working_dir"
"""The labels by which Compose recognises its project."""


class ExternalCommands:
    """Starts programs and shows their output.

    Args:
        dashboard: The app.
    """

    def __init__(self, dashboard: ActionHost) -> None:
        self._dashboard = dashboard

    # Compose

    def compose(self, target: RowTarget, verb: str) -> None:
        """Run a Compose command on the project of a container; ask first where it stops containers.

        Raises:
            InvalidInput: The container belongs to no project, or there is no such command.
            NotFound: Compose isn't installed here, or the project's files aren't.
        """
        if verb not in COMPOSE:
            raise InvalidInput(f"can't {safe(verb)} a project", hint=f"there are {', '.join(COMPOSE)}")
        entry = target.entry
        if entry is None or not entry.project:
            raise InvalidInput("it belongs to no Compose project", hint="select a container of a project")
        if verb not in _READS and not self._dashboard.may_change(target.link):
            return
        argv = compose_line(find_compose(), entry, verb)
        project = entry.project
        if verb not in _ASKS:
            self.show(target.link, argv, f"compose {verb} {project}")
            return
        from pyd_tui.dashboard.screens.confirm import Confirm  # noqa: PLC0415 - only where it asks

        members = [container for container in target.link.containers.values() if container.project == project]
        names = [container.name for container in members if verb != "stop" or container.state not in STOPPED_STATES]
        question = f"{_ASKS[verb]} project {project} ({counted(len(names), 'container')})?"
        title = f"compose {verb} {project}"
        ask = Confirm(question, names)
        self._dashboard.push_screen(ask, lambda yes: self.show(target.link, argv, title) if yes else None)

    # User commands

    def own(self, name: str, link: EngineConnection, subjects: Sequence[Mapping[str, str]]) -> None:
        """Run one of the user's commands on one object or several, after asking for its prompts.

        Args:
            name: The name of the command.
            link: The engine; `docker` in the command talks to it.
            subjects: The fields of each object.

        Raises:
            NotFound: No command has this name.
        """
        command = next((known for known in self._dashboard.keys.commands if known.name == name), None)
        if command is None:
            raise NotFound(f"there is no command {safe(name)}", hint="pyd config show lists yours")
        if command.changes and not self._dashboard.may_change(link):
            return
        if not command.prompts:
            self._ask(link, command, subjects)
            return
        from pyd_tui.dashboard.screens.form import Field, Form  # noqa: PLC0415 - only where it asks

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                self._ask(link, command, [{**subject, **given} for subject in subjects])

        fields = [Field(name=prompt) for prompt in command.prompts]
        self._dashboard.push_screen(Form(command.help or command.name, fields), answered)

    def _ask(self, link: EngineConnection, command: UserCommand, subjects: Sequence[Mapping[str, str]]) -> None:
        try:
            lines = [command_line(command, subject) for subject in subjects]
        except (ValueError, KeyError) as error:
            raise InvalidInput(f"{safe(command.name)} can't be run", hint="pyd config check says why") from error
        if not command.confirm:
            self._run_all(link, command, lines)
            return
        from pyd_tui.dashboard.screens.confirm import Confirm  # noqa: PLC0415 - only where it asks

        shown = [mask_text(safe(" ".join(argv))) for argv, _ in lines]
        ask = Confirm(f"Run {shown[0]}?" if len(shown) == 1 else f"Run {len(shown)} commands?", shown)
        self._dashboard.push_screen(ask, lambda yes: self._run_all(link, command, lines) if yes else None)

    def _run_all(
        self, link: EngineConnection, command: UserCommand, lines: Sequence[tuple[list[str], dict[str, str]]]
    ) -> None:
        """Run the command lines of all objects, one after the other."""
        if len(lines) == 1:
            self._run(link, command, *lines[0])
            return
        # Each line gets its variables by env(1), and no word of it is interpreted by the shell.
        words = [["env", *(f"{name}={value}" for name, value in variables.items()), *argv] for argv, variables in lines]
        self._run(link, command, ["sh", "-c", "\n".join(map(shlex.join, words))], {})

    def _run(
        self, link: EngineConnection, command: UserCommand, argv: Sequence[str], variables: Mapping[str, str]
    ) -> None:
        name, environment = command.name, _environment(link, variables)
        if command.where == "pane":
            self.show(link, argv, name, variables)
        elif command.where == "background":
            self._dashboard.tasks.start(self._behind(name, argv, environment), name=name)
        else:
            self._dashboard.tasks.start(self._before(name, argv, environment), name=name)

    def show(
        self, link: EngineConnection, argv: Sequence[str], title: str, variables: Mapping[str, str] | None = None
    ) -> None:
        """Run a program, and show its output on a screen of its own."""
        self._dashboard.open_output(argv, title, _environment(link, variables or {}))

    async def _before(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        try:
            code = await self._dashboard.run_in_terminal(argv, env=environment, wait_on=frozenset(range(1, 256)))
        except FileNotFoundError as error:
            raise _absent(argv) from error
        self._dashboard.say(f"{name} ended with {code}", "good" if code == 0 else "warn")

    async def _behind(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        import asyncio  # noqa: PLC0415 - next to its only use

        job = safe(name)
        self._dashboard.jobs.update(job)
        try:
            pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=nothing, stdout=nothing, stderr=pipe, env=environment
            )
            _, errors = await process.communicate()
        except FileNotFoundError as error:
            raise _absent(argv) from error
        finally:
            self._dashboard.jobs.end(job)
        last = safe(errors.decode(errors="replace").strip().rpartition("\n")[2][:200])
        code = process.returncode
        self._dashboard.say(f"{name} ended with {code}", "bad" if code else "good", last if code else "")


def _environment(link: EngineConnection, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program, whose `docker` uses the same engine."""
    chosen = _engine_variables(link.endpoint) if link.endpoint is not None else {}
    return {**os.environ, **chosen, **variables}


def _engine_variables(endpoint: Endpoint) -> dict[str, str]:
    name, _, context = endpoint.origin.partition(" ")
    return {"DOCKER_CONTEXT": context} if name == "context" and context else {"DOCKER_HOST": endpoint.url}


def _absent(argv: Sequence[str]) -> NotFound:
    return NotFound(f"there is no program {safe(argv[0])}", hint="is it installed, and on PATH?")


def find_compose() -> list[str]:
    """Return the command of Compose: docker's plugin, else the separate program.

    Raises:
        NotFound: Neither is installed.
    """
    if (docker := shutil.which("docker")) is not None:
        directories = (
            os.path.expanduser("~/.docker/cli-plugins"),  # noqa: PTH111 - pathlib raises where there is no home
            *("/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins"),
            *("/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins"),
        )
        if any(os.access(f"{directory}/docker-compose", os.X_OK) for directory in directories):
            return [docker, "compose"]
    for name in ("docker-compose", "podman-compose"):
        if (path := shutil.which(name)) is not None:
            return [path]
    raise NotFound("Docker Compose isn't installed here", hint="install docker-compose, or docker's compose plugin")


def compose_line(compose: Sequence[str], entry: ContainerInfo, verb: str) -> list[str]:
    """Return the command line that runs a Compose command on a container's project.

    Raises:
        NotFound: The command needs the project's files, which aren't on this machine.
    """
    files = [name for name in entry.labels.get(_FILES, "").split(",") if name]
    directory = entry.labels.get(_WORKING_DIRECTORY, "")
    there = bool(files) and all(os.path.isfile(name) for name in files)  # noqa: PTH113 - names from labels
    if not there and verb in {"up", "pull"}:
        raise NotFound(
            f"the files of {safe(entry.project)} aren't on this machine",
            hint=f"its files are {safe(', '.join(files))}" if files else "its labels name none",
        )
    where = [part for name in files for part in ("-f", name)] if there else []
    if there and os.path.isdir(directory):  # noqa: PTH112 - names from labels
        where += ["--project-directory", directory]
    more = {"up": ["-d"], "logs": ["--tail", "200"]}.get(verb, [])
    return [*compose, "-p", entry.project, *where, verb, *more]
