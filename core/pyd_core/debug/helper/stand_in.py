"""A container that stands in for one that doesn't run, on an engine whose layers can't be mounted from here.

It has its model's files, configuration, rights and volumes, and a program that does nothing. What a session changes is
the stand-in's, and goes with it.
"""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import msgspec

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.images import ImagesApi
from pyd_core.client.options import CommitOptions
from pyd_core.client.transport.base import Duplex
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.clone import PROGRAM, clone_body
from pyd_core.debug.helper.container import LABEL, LIFETIME, new_name
from pyd_core.debug.helper.stand_in_changes import StandInChanges
from pyd_core.debug.holder_program import program
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import IMAGE
from pyd_core.debug.stopped.outcome import ApplyOutcome
from pyd_core.debug.stopped.session import check, print_line, report_start
from pyd_core.debug.user_io import UserIO
from pyd_core.errors import InvalidInput, PydError
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

_RUNNING = ("running", "paused")


@contextmanager
def run_stand_in(
    engine: ApiClient, subject: Container, options: DebugOptions, io: UserIO, *, machine: str
) -> Iterator[Container]:
    """Yield a running container for as long as the block lasts: the subject itself, or a stand-in for it.

    Changes in a stand-in are listed, kept as requested, or thrown away.

    Args:
        engine: The engine.
        subject: The container that is meant.
        options: The options for entering it, and for keeping changes.
        io: Shows notices; asks what to do with the changes.
        machine: The engine's, as `uname -m` names it.

    Raises:
        PydError: There can be none, or the changes couldn't be kept as asked; nothing is left.
    """
    shown = safe(subject.name)
    if subject.state.status in _RUNNING and not options.hold:
        if options.keeps_changes:
            hint = "leave out --diff, --apply and --save"
            raise InvalidInput(f"{shown} runs: a session changes it in place", hint=hint)
        yield subject
        return
    if options.hold and (options.apply or options.save):
        raise InvalidInput("--hold makes a clone of a container", hint="leave out --apply and --save")
    check(subject, options)
    with _StandIn(engine, subject, options, machine) as stand_in:
        state = safe(subject.state.status)
        fate = (
            "you are asked about changes at the end"
            if io.ask is not None
            else "changes are thrown away, or kept as requested"
        )
        io.notify(f"{shown} ({state}): in a container that stands in for it; {fate}")
        yield msgspec.structs.replace(stand_in.container, name_=subject.name_)
        if options.keeps_changes or io.ask is not None:
            report_start(engine, subject, io.notify)
            ApplyOutcome(engine, subject, stand_in.changes, notify=io.notify, show=print_line).settle(options, io.ask)


class _StandIn:
    """A stand-in that runs as long as the block lasts."""

    def __init__(self, engine: ApiClient, model: Container, options: DebugOptions, machine: str) -> None:
        self._engine = engine
        self._containers = ContainersApi(engine)
        self._images = ImagesApi(engine)
        self._model = model
        self._program = program_archive(machine)
        self._options = options
        self._id = self._image = ""
        self._input: Duplex | None = None

    def __enter__(self) -> Self:
        try:
            run_now(self._start())
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    async def _start(self) -> None:
        is_image = self._model.state.status == IMAGE
        body = _of_image(self._model) if is_image else await self._of_container()
        expires = str(int(time.time()) + LIFETIME)
        labels = {LABEL: new_name(), f"{LABEL}.target": self._model.id, f"{LABEL}.expires": expires}
        body["Labels"] = labels
        self._id = (await self._containers.create(body)).id
        await self._containers.archive_put(self._id, "/", self._program)
        self._input = await self._containers.attach(self._id, stdin=True)
        await self._containers.start(self._id)
        self.container = await self._containers.inspect(self._id)
        self.changes = StandInChanges(self._engine, self._id, self._image or body["Image"], self._model.id, labels)

    async def _of_container(self) -> dict[str, Any]:
        model = json.loads(await self._containers.inspect_raw(self._model.id))
        self._image = await self._containers.commit(self._model.id, CommitOptions())
        network = model["HostConfig"].get("NetworkMode", "") if self._options.network == "same" else "none"
        writable = self._options.volumes == "rw"
        body = clone_body(model, "", "", network=network, writable_volumes=writable)
        host = body["HostConfig"]
        host["Mounts"] = [mount for mount in host["Mounts"] if mount["Target"] != PROGRAM]
        host["ReadonlyRootfs"] = False  # its program has to be put there
        return {**body, "Image": self._image}

    def _remove(self) -> None:
        if self._input is not None:
            run_now(self._input.aclose())
        if self._id:
            run_now(self._containers.discard(self._id))
        if self._image:
            with contextlib.suppress(PydError):  # untagged, it goes with the next prune
                run_now(self._images.remove(self._image, force=True))


def _of_image(image: Container) -> dict[str, Any]:
    return {
        "Image": image.image,
        "Entrypoint": [PROGRAM],
        "Cmd": [],
        "Healthcheck": {"Test": ["NONE"]},
        "AttachStdin": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "StopSignal": "SIGKILL",
        "HostConfig": {"AutoRemove": True, "NetworkMode": "none"},
    }


def program_archive(machine: str) -> bytes:
    """Return a tar with the program that a stand-in runs, for a machine as `uname -m` names it."""
    content = program(machine)
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        entry = tarfile.TarInfo(PROGRAM.lstrip("/"))
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    return sink.getvalue()[: tar.offset]  # no padding: see `ContainersApi.archive_put`
