"""Build of a Dockerfile: stage by stage and instruction by instruction, with progress."""

from __future__ import annotations

import asyncio
import json
import os
import posixpath
import re
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from typing import Any

import msgspec

from pyd_core.daemon.build import copy_instruction, run_instruction
from pyd_core.daemon.build.dockerfile import Dockerfile, Instruction, instruction
from pyd_core.daemon.build.request import PROXIES, ClassicBuildRequest, Record, failure_record, stream_record
from pyd_core.daemon.build.services import BuildServices
from pyd_core.daemon.build.stage import BuildStage, history_text
from pyd_core.daemon.build.variables import Lexer, parse_assignments
from pyd_core.daemon.containers.oci_spec import DEFAULT_PATH
from pyd_core.daemon.images.changes import apply_changes, merge_env, parse_command
from pyd_core.daemon.images.load import encode_config
from pyd_core.daemon.images.store import ImageRecord
from pyd_core.errors import InvalidInput, KernelError, NotFound
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.model.container_config import ContainerConfig

Fetch = Callable[[str, str], AsyncGenerator[Record, None]]
"""Pulls an image by name for a platform (empty: this host's) and yields its progress."""

SCRATCH = "scratch"
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_PLAIN_INSTRUCTIONS = {"EXPOSE", "VOLUME", "USER", "STOPSIGNAL"}
"""Instructions that change the configuration only by their arguments, after substitution."""


class ClassicBuilder:
    """Build of one image.

    Args:
        services: The parts of the engine that it uses.
        request: The request.
        dockerfile: The parsed Dockerfile.
        fetch: Pulls base images.

    Raises:
        InvalidInput: The target stage doesn't exist.
    """

    def __init__(
        self, services: BuildServices, request: ClassicBuildRequest, dockerfile: Dockerfile, fetch: Fetch
    ) -> None:
        self._services = services
        self._request = request
        self._fetch = fetch
        self._escape = dockerfile.escape
        self._steps = _steps_for(dockerfile.instructions, request.target)
        if request.labels:
            quoted = " ".join(f"{_quote(name)}={_quote(value)}" for name, value in request.labels.items())
            self._steps.append(Instruction("LABEL", quoted, 0))
        self._stages: list[BuildStage] = []
        self._globals: dict[str, str] = {}
        self._declared: set[str] = set()
        """Names that an ARG has declared."""

    async def run(self) -> AsyncGenerator[Record, None]:
        """Build and yield progress; the last record is an error if it failed.

        Raises:
            PydError: A step is invalid, or something that it needs is missing.
        """
        total = len(self._steps)
        async with AsyncExitStack() as held:
            for number, step in enumerate(self._steps, 1):
                if step.word == "FROM" and self._stages and not self._stages[-1].empty:
                    yield {"aux": {"ID": self._stages[-1].image.id}}
                yield stream_record(f"Step {number}/{total} : {step.shown}\n")
                await asyncio.sleep(0)  # cached steps never wait, and the engine has other clients
                async with aclosing(self._step(step)) as records:
                    async for record in records:
                        yield record
                        if "error" in record:
                            return
                if self._stages:
                    image = self._stages[-1].image
                    held.enter_context(self._services.images.hold([image.id]))
                    yield stream_record(f" ---> {image.id[7:19]}\n")
            unused = sorted(set(self._request.arguments) - self._declared - PROXIES)
            if unused:
                yield stream_record(f"[Warning] One or more build-args [{' '.join(unused)}] were not consumed\n")
            if self._stages[-1].empty:
                yield failure_record("No image was generated. Is your Dockerfile empty?")
                return
            image = self._stages[-1].image
            yield {"aux": {"ID": image.id}}
            yield stream_record(f"Successfully built {image.id[7:19]}\n")
            for reference in self._request.tags:
                self._services.image_events.tag(image, reference)
                yield stream_record(f"Successfully tagged {reference}\n")

    async def _step(self, step: Instruction) -> AsyncGenerator[Record, None]:
        if step.word == "ARG":
            if await self._argument(step):
                yield stream_record(" ---> Using cache\n")
        elif step.word == "FROM":
            async with aclosing(self._from(step)) as records:
                async for record in records:
                    yield record
        elif step.word == "RUN":
            async with aclosing(run_instruction.run(self._stages[-1], step, self._request)) as records:
                async for record in records:
                    yield record
        elif step.word in {"COPY", "ADD"}:
            stage = self._stages[-1]
            async with self._source(stage, step) as source:
                cached = await copy_instruction.copy(stage, step, self._escape, source)
            if cached:
                yield stream_record(" ---> Using cache\n")
        elif step.word == "WORKDIR":
            if await self._workdir(self._stages[-1], step):
                yield stream_record(" ---> Using cache\n")
        elif await self._configure(self._stages[-1], step):
            yield stream_record(" ---> Using cache\n")

    # Stages

    async def _from(self, step: Instruction) -> AsyncGenerator[Record, None]:
        base, name = _parse_from(Lexer(step.rest, self._globals, self._escape).words(), step.rest)
        earlier = next((stage_ for stage_ in self._stages if stage_.name and stage_.name == base.lower()), None)
        if earlier is not None:
            image = earlier.image
        elif base == SCRATCH:
            image = self._services.images.add(
                encode_config(ContainerConfig(), [], [], created="0001-01-01T00:00:00Z"), []
            )
        else:
            platform = Lexer(step.flags.get("platform", ""), self._globals, self._escape).whole()
            if self._request.pull or not self._has_image(base):
                async with aclosing(self._fetch(base, platform)) as progress:
                    async for record in progress:
                        yield record
                        if "error" in record:
                            return
            image = self._services.images.find(base)
        config = self._services.images.config(image).config or ContainerConfig()
        if not any(entry.startswith("PATH=") for entry in config.env):
            config = msgspec.structs.replace(config, env=[*config.env, DEFAULT_PATH])
        stage = BuildStage(self._services, name, image, config, self._request.use_cache, self._cache_sources())
        stage.proxies = {
            key: value for key, value in self._request.arguments.items() if key in PROXIES and value is not None
        }
        self._stages.append(stage)
        triggers = config.on_build or []
        if triggers:
            yield stream_record(f"# Executing {len(triggers)} build trigger{'s' if len(triggers) > 1 else ''}\n")
            stage.config = msgspec.structs.replace(config, on_build=None)
            for text in triggers:
                async with aclosing(self._step(instruction(text, step.number))) as records:
                    async for record in records:
                        yield record
                        if "error" in record:
                            return

    def _cache_sources(self) -> list[ImageRecord] | None:
        """Return the images of `--cache-from` that exist; None without that option."""
        names = self._request.cache_from
        return None if names is None else [self._services.images.find(name) for name in names if self._has_image(name)]

    def _has_image(self, name: str) -> bool:
        try:
            self._services.images.find(name)
        except NotFound:
            return False
        return True

    @asynccontextmanager
    async def _source(self, stage: BuildStage, step: Instruction) -> AsyncIterator[RootDirectory]:
        """Open the source of a COPY: the context, an earlier stage by name or number, or an image."""
        name = step.flags.get("from", "")
        if not name:
            with RootDirectory(self._request.context) as root:
                yield root
            return
        image = self._stage_or_image(name)
        other = BuildStage(self._services, "", image, stage.config, use_cache=False)
        async with (
            run_instruction.container_of(other, ["none"]) as container,
            self._services.files.open_layers(container) as root,
        ):
            yield root

    def _stage_or_image(self, name: str) -> ImageRecord:
        earlier = self._stages[:-1]
        stage = next((candidate for candidate in earlier if candidate.name and candidate.name == name.lower()), None)
        if stage is not None:
            return stage.image
        if name.isdecimal():
            if int(name) == len(earlier):
                raise InvalidInput(f"invalid from flag value {name[:20]}: refers to current build stage")
            if int(name) > len(earlier):
                raise InvalidInput(f"invalid from flag value {name[:20]}: no such stage comes before")
            return earlier[int(name)].image
        try:
            return self._services.images.find(name)
        except NotFound:
            raise NotFound(
                f"invalid from flag value {name[:200]}: no stage and no image here has that name",
                hint=f"pull it first, or begin a stage with FROM {name[:200]}",
            ) from None

    # Instructions that change the configuration

    async def _argument(self, step: Instruction) -> bool:
        """Declare arguments; return whether the step was cached.

        Only its own text identifies the step: values from outside matter where a command runs with them.
        """
        stage = self._stages[-1] if self._stages else None
        values = stage.variables if stage else self._globals
        words = Lexer(step.rest, values, self._escape).words()
        for word in words:
            name, equals, default = word.partition("=")
            if not name:
                raise InvalidInput("ARG names can not be blank")
            self._declared.add(name)
            requested = self._request.arguments.get(name)
            value = (
                requested
                if requested is not None
                else default
                if equals
                else self._globals.get(name)
                if stage
                else None
            )
            if value is not None:
                (stage.arguments if stage else self._globals)[name] = value
        return stage is not None and await stage.configure(f"ARG {' '.join(words)}")

    async def _workdir(self, stage: BuildStage, step: Instruction) -> bool:
        directory = Lexer(step.rest, stage.variables, self._escape).whole()
        path = posixpath.normpath(posixpath.join(stage.config.working_dir or "/", directory))
        created_by = history_text(stage.config, f"WORKDIR {path}")
        config = msgspec.structs.replace(stage.config, working_dir=path)
        if stage.cached(created_by, config):
            return True
        async with run_instruction.container_of(stage, ["none"]) as container:
            async with self._services.files.open_layers(container) as root:
                copy_instruction.make_directory(root, path)
            stage.config = config
            await run_instruction.keep_changes(stage, container, created_by)
        return False

    def _parse_assignments(self, step: Instruction, values: Mapping[str, str]) -> list[tuple[str, str]]:
        return parse_assignments(step.rest, values, self._escape, word=step.word)

    async def _configure(self, stage: BuildStage, step: Instruction) -> bool:
        """Apply an instruction that changes no files; return whether it was cached."""
        changes: dict[str, Any] = {}
        check: Callable[[], Awaitable[None]] | None = None
        shown = step.rest
        values = stage.variables
        if step.word == "ENV":
            assigned = self._parse_assignments(step, values)
            shown = " ".join(f"{name}={value}" for name, value in assigned)
            changes["env"] = merge_env(stage.config.env, [f"{name}={value}" for name, value in assigned])
        elif step.word == "LABEL":
            assigned = self._parse_assignments(step, values)
            shown = " ".join(f"{name}={value}" for name, value in assigned)
            changes["labels"] = {**stage.config.labels, **dict(assigned)}
        elif step.word == "MAINTAINER":
            stage.author = step.rest
        elif step.word == "CMD":
            stage.own_command = True
            changes["cmd"] = parse_command(step.rest, stage.config.shell)
            shown = _json_list(changes["cmd"])
        elif step.word == "ENTRYPOINT":
            changes["entrypoint"] = parse_command(step.rest, stage.config.shell)
            shown = _json_list(changes["entrypoint"])
            if not stage.own_command:
                changes["cmd"] = None
        elif step.word in _PLAIN_INSTRUCTIONS and step.listed() is None:
            words = Lexer(step.rest, values, self._escape).words()
            shown = " ".join(sorted(words) if step.word == "EXPOSE" else words)  # the order doesn't matter to the cache
            changes = _changed_fields(stage.config, f"{step.word} {shown}")
            if step.word == "VOLUME":
                shown = f"[{shown}]"
        else:
            if step.word == "ONBUILD":
                _check_trigger(step)
            changes = _changed_fields(stage.config, f"{step.word} {step.rest}")
            if step.word in {"VOLUME", "SHELL"}:
                shown = f"[{' '.join(step.listed() or [])}]"
        if "volumes" in changes:
            check = partial(_check_volumes, stage, changes["volumes"])
        return await stage.configure(f"{step.word} {shown}", check=check, **changes)


def _parse_from(words: list[str], text: str) -> tuple[str, str]:
    """Return the base image of FROM and the stage's name, which may be empty."""
    if len(words) not in {1, 3} or (len(words) == 3 and words[1].lower() != "as") or not words[0]:
        raise InvalidInput(f"FROM requires either one or three arguments: {text[:100]!r}")
    name = words[2].lower() if len(words) == 3 else ""
    if name and not _STAGE_NAME.fullmatch(name):
        raise InvalidInput(
            f'invalid name for build stage: "{words[2][:100]}", name can\'t start with a number or contain symbols'
        )
    return words[0], name


async def _check_volumes(stage: BuildStage, paths: Iterable[str]) -> None:
    """Check that the image has no file at a volume's path.

    Raises:
        InvalidInput: It has one.
    """
    async with (
        run_instruction.container_of(stage, ["none"]) as container,
        stage.services.files.open_layers(container) as root,
    ):
        for path in paths:
            try:
                fd = root.open(path, os.O_PATH)
            except KernelError:
                continue  # the directory is created when the volume is mounted
            try:
                if not stat.S_ISDIR(os.fstat(fd).st_mode):
                    raise InvalidInput(f"cannot mount volume over existing file, file exists {path[:200]}")
            finally:
                os.close(fd)


def _json_list(words: list[str]) -> str:
    """Return a command in the form of Docker Engine's history, which users of Dockerfiles know."""
    return f"[{' '.join(json.dumps(word, ensure_ascii=False) for word in words)}]"


def _changed_fields(config: ContainerConfig, line: str) -> dict[str, Any]:
    after = apply_changes(config, [line])
    names = ("exposed_ports", "volumes", "user", "stop_signal", "healthcheck", "on_build", "shell")
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(config, name)}


def _check_trigger(step: Instruction) -> None:
    inner = instruction(step.rest, step.number)
    if inner.word in {"ONBUILD", "FROM", "MAINTAINER"}:
        raise InvalidInput(f"{inner.word} isn't allowed as an ONBUILD trigger")


def _steps_for(steps: list[Instruction], target: str) -> list[Instruction]:
    """Return the instructions up to the end of a stage, given by name or number; all without a target."""
    if not target:
        return list(steps)
    starts = [index for index, step in enumerate(steps) if step.word == "FROM"]
    for number, index in enumerate(starts):
        words = steps[index].rest.split()
        named = words[2].lower() if len(words) == 3 else ""
        if named == target.lower() or target == str(number):
            return steps[: [*starts, len(steps)][number + 1]]
    raise InvalidInput(f'target stage "{target[:100]}" could not be found')


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"
