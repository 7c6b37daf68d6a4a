"""Pushing the toolbox's image to a registry."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pyd_core.client.credentials import Logins
from pyd_core.daemon.images.manifests import Document
from pyd_core.daemon.images.registry import Registry, RegistryLogin
from pyd_core.daemon.images.registry_config import RegistrySettings
from pyd_core.daemon.images.upload import put_manifest, upload_document, upload_file
from pyd_core.debug.machine import DEBIAN, own_machine
from pyd_core.debug.toolbox import pushed, store
from pyd_core.debug.toolbox.pod_image import CONFIG, INDEX, MANIFEST, PodImage, digest_of, index_of, pack_image
from pyd_core.debug.toolbox.selection import find_toolbox, load_selection
from pyd_core.model.reference import Reference, parse
from pyd_tui.cli.debug.toolbox import OnProgress

CERTIFICATES = Path("/etc/docker/certs.d")


def push_toolbox(text: str, machine: str, progress: OnProgress) -> str:
    """Push the toolbox's image, and return its reference.

    Args:
        text: The reference.
        machine: A machine whose toolbox is built if it is missing; by default this one.
        progress: Receives the progress.

    Raises:
        InvalidInput: It isn't a reference.
        PydError: A toolbox can't be built, or the registry refuses.
    """
    reference = parse(text)
    with tempfile.TemporaryDirectory(prefix="pyd-toolbox-") as directory:
        images = [
            pack_image(toolbox, name, Path(directory, f"{name}.tar.gz"), progress)
            for name, toolbox in _toolboxes(machine, progress)
        ]
        asyncio.run(_push(reference, images, progress))
    pushed.remember(text)
    return text


def _toolboxes(machine: str, progress: OnProgress) -> Iterator[tuple[str, str]]:
    """Yield the machines with a toolbox, and its directory."""
    chosen = machine or own_machine()
    yield chosen, find_toolbox(progress, chosen)
    pack = load_selection().pack()
    for other in DEBIAN:
        if other != chosen and (there := store.find_anywhere(pack, other)) is not None:
            yield other, there


async def _push(reference: Reference, images: list[PodImage], progress: OnProgress) -> None:
    login = Logins.of_user(os.environ).get(reference.domain)
    auth = (
        RegistryLogin()
        if login is None
        else RegistryLogin(username=login.username, password=login.password, identitytoken=login.identitytoken)
    )
    async with Registry(reference, auth, RegistrySettings(certificates=CERTIFICATES)) as registry:
        for image in images:
            await _push_image(registry, image, progress)
        if len(images) == 1:
            await put_manifest(registry, MANIFEST, images[0].manifest, reference.tag)
            return
        await put_manifest(registry, INDEX, index_of(images), reference.tag)


async def _push_image(registry: Registry, image: PodImage, progress: OnProgress) -> None:
    async def report(sent: int, total: int) -> None:
        progress(f"pushing the {image.architecture} toolbox", sent, total)

    if not await registry.has_blob(image.layer_digest):
        await upload_file(registry, image.layer_digest, image.layer, report)
    await upload_document(registry, Document(media=CONFIG, body=image.config))
    await put_manifest(registry, MANIFEST, image.manifest, digest_of(image.manifest))
