"""Creation of containers, with a pull of missing images."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.errors import Conflict, InvalidInput, NotFound
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.model.container import Created
    from pyd_core.model.creation import CreateBody
    from pyd_tui.cli.containers.creation_options import CreateOptions


async def create_container(engine: EngineClient, body: CreateBody, options: CreateOptions) -> Created:
    """Create a container; pull its image as `--pull` demands, and write its id to `--cidfile`.

    Raises:
        NotFound: The image doesn't exist.
        Conflict: The name is in use, or the file for the id exists.
    """
    name, platform = options.name or None, options.platform or None
    with _id_file(options.cidfile) as write_id:
        if options.pull == "always":
            await _pull(engine, body.image, platform, quiet=options.quiet)
        try:
            container = await engine.containers.create(body, name=name, platform=platform)
        except NotFound as error:
            if options.pull != "missing" or not _is_about_image(error):
                raise
            if not options.quiet:
                sys.stderr.write(f"Unable to find image {safe(body.image)!r} locally\n")
            await _pull(engine, body.image, platform, quiet=options.quiet)
            container = await engine.containers.create(body, name=name, platform=platform)
        write_id(container.id)
    for warning in container.warnings:
        sys.stderr.write(f"warning: {safe(warning)}\n")
    return container


def _is_about_image(error: NotFound) -> bool:
    """Return whether the image is missing, rather than a network or a volume driver."""
    return "image" in error.message.lower()


async def _pull(engine: EngineClient, image: str, platform: str | None, *, quiet: bool) -> None:
    from pyd_tui.cli.images.transfer import pull

    await pull(engine, image, platform=platform, quiet=quiet, out=sys.stderr)


@contextlib.contextmanager
def _id_file(name: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that writes the id; the file must be new, and is removed if no id was written."""
    if not name:
        yield lambda _: None
        return
    file = Path(name)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError as error:
        hint = "remove it, or choose another --cidfile"
        raise Conflict(f"{safe(name)} exists: make sure no other container uses it", hint=hint) from error
    except OSError as error:
        raise InvalidInput(f"can't write {safe(name)}: {error.strerror}") from error
    written = False

    def write(identity: str) -> None:
        nonlocal written
        os.write(descriptor, identity.encode())
        written = True

    try:
        yield write
    finally:
        os.close(descriptor)
        if not written:
            file.unlink(missing_ok=True)
