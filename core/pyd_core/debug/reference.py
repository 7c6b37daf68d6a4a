"""References to targets, as written after `pyd debug`.

They are tried in this order: `pid:N` is always a process of this machine, `image:REF` an image and `container:NAME` a
container; then the name, id or id prefix of a container; then a Compose service, `SERVICE` or `SERVICE@NUMBER`; then an
image.
"""

from __future__ import annotations

import os

import msgspec

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.debug.target import LocalTarget, find_container
from pyd_core.errors import Ambiguous, InvalidInput, NotFound
from pyd_core.linux.process import ProcessEntry
from pyd_core.model.container import Container, ContainerSummary
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.container_state import ContainerState
from pyd_core.sanitise import safe

IMAGE = "image"
"""The state of the container that stands for an image: it has no other."""

_NUMBER = "com.docker.compose.container-number"


async def find_subject(session: ApiClient, text: str) -> Container | LocalTarget:
    """Find the subject of a session: a container, one that stands for an image, or a process.

    Raises:
        NotFound: There is nothing of that name; the nearest names of containers are offered.
        Ambiguous: The prefix of several ids, or a service of several projects.
    """
    if text.startswith("pid:"):
        return process_target(text.removeprefix("pid:"))
    if text.startswith("image:"):
        return await _image(session, text.removeprefix("image:"))
    containers = ContainersApi(session)
    if text.startswith("container:"):
        return await find_container(containers, text.removeprefix("container:"))
    try:
        return await find_container(containers, text)
    except Ambiguous:
        raise
    except NotFound as error:
        there = await containers.list(all=True)
        member = pick_member(there, text)
        if member is not None:
            return await containers.inspect(member.id)
        service = text.rpartition("@")[0]
        if numbers := sorted(
            container.labels.get(_NUMBER, "") for container in there if service and container.service == service
        ):
            raise NotFound(
                f"service {safe(service)!r} has no container {safe(text.rpartition('@')[2])}",
                hint=f"it has {', '.join(safe(number) for number in numbers)}",
                reference="no-such-container",
            ) from None
        try:
            return await _image(session, text)
        except (NotFound, InvalidInput):
            raise error from None


def pick_member(containers: list[ContainerSummary], text: str) -> ContainerSummary | None:
    """Return the container of a Compose service: by its number, else the first that runs, else the first.

    Raises:
        Ambiguous: Several projects have a service of that name.
    """
    service, separator, number = text.rpartition("@")
    if not separator:
        service, number = text, ""
    members = [
        container
        for container in containers
        if container.service == service and number in ("", container.labels.get(_NUMBER, ""))
    ]
    projects = sorted({container.project for container in members})
    if len(projects) > 1:
        names = [container.name for container in members]
        raise Ambiguous(
            f"projects {', '.join(map(safe, projects))} each have a service {safe(service)!r}",
            candidates=names,
            hint=f"name the container: {', '.join(map(safe, names))}",
        )
    return min(members, key=_order, default=None)


def _order(container: ContainerSummary) -> tuple[bool, int]:
    number = container.labels.get(_NUMBER, "")
    return container.state not in ("running", "paused"), int(number) if number.isdecimal() else 0


async def _image(session: ApiClient, reference: str) -> Container:
    """Return a container as one created from the image would be; the engine creates none."""
    from pyd_core.client.images import ImagesApi  # noqa: PLC0415 - containers don't pay for it

    try:
        image = await ImagesApi(session).inspect(reference)
    except NotFound as error:
        error.hint = error.hint or f"list them with: pyd images; fetch it with: pyd pull {safe(reference)}"
        raise
    short = image.id.rpartition(":")[2][:12]
    return Container(
        id=image.id,
        name_=f"/{reference}",
        image=image.id,
        state=ContainerState(status=IMAGE),
        graph_driver=image.graph_driver,
        config=msgspec.structs.replace(image.config, hostname=short, labels=image.config.labels),
    )


def process_target(text: str) -> LocalTarget:
    """Return a process of this machine as a target: its namespaces, environment and working directory.

    Raises:
        InvalidInput: Not a number.
        NotFound: No such process.
    """
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(f"not a process: {text!r}", hint="write pid:NUMBER, as ps shows it on this machine")
    try:
        process = ProcessEntry(int(text))
        environment = process.read("environ").decode(errors="surrogateescape").split("\0")
        command = process.read("comm").decode(errors="replace").strip()
        directory = os.readlink("cwd", dir_fd=process.descriptor)
    except ProcessLookupError as error:
        raise NotFound(f"no process {text}", hint="list them with: ps -e", reference="no-such-process") from error
    except OSError as error:  # one without files: a thread of the kernel's, or a zombie
        raise InvalidInput(f"process {text} has no files to see: {error.strerror}") from error
    config = ContainerConfig(env=[variable for variable in environment if variable], working_dir=directory)
    return LocalTarget(Container(id="", name_=f"/{command}-{text}", config=config), process)
