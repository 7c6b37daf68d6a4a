"""Transfers of images: pull, push and load, with a bar per layer on a terminal and lines elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import IO, TYPE_CHECKING

from pyd_core.client.credentials import Logins
from pyd_core.model.progress import Progress
from pyd_core.model.reference import parse
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient


async def pull(
    engine: EngineClient,
    name: str,
    *,
    platform: str | None = None,
    quiet: bool = False,
    all_tags: bool = False,
    out: IO[str],
) -> str:
    """Pull an image and return its full name.

    Raises:
        InvalidInput: The name is malformed.
        Refused: The registry denied access.
        NotFound: The registry has no such image.
    """
    reference = parse(name)
    auth = Logins.of_user().get(reference.domain)
    tag = None if all_tags else reference.digest or reference.tag
    async with engine.images.pull(reference.familiar, tag=tag, platform=platform, auth=auth) as progress:
        await show_progress(progress, None if quiet else out)
    return (
        f"{reference.repository}@{reference.digest}" if reference.digest else f"{reference.repository}:{reference.tag}"
    )


async def push(engine: EngineClient, name: str, *, quiet: bool, all_tags: bool, out: IO[str]) -> list[str]:
    """Push an image and return the statuses that belong to no layer.

    Raises:
        InvalidInput: The name is malformed.
        Refused: The registry denied access.
        NotFound: The engine has no such image.
    """
    reference = parse(name)
    auth = Logins.of_user().get(reference.domain)
    tag = None if all_tags else reference.tag
    async with engine.images.push(reference.familiar, tag=tag, auth=auth) as progress:
        return await show_progress(progress, None if quiet else out)


async def show_progress(progress_stream: AsyncIterator[Progress], out: IO[str] | None) -> list[str]:
    """Show progress until it ends.

    Args:
        progress_stream: The engine's progress messages.
        out: The stream to write to; None shows nothing.

    Returns:
        The statuses that belong to no layer, such as a digest.
    """
    if out is not None and out.isatty():
        from pyd_tui.console.render.layers import LayersReport

        with LayersReport(out) as layers:
            return await _dispatch(progress_stream, layers.show, layers.say)
    seen: set[tuple[str, str]] = set()

    def write_layer(progress: Progress) -> None:
        if out is not None and (progress.id, progress.status) not in seen and not progress.progress_detail.total:
            seen.add((progress.id, progress.status))
            out.write(f"{safe(progress.id)}: {safe(progress.status)}\n")

    def write_status(text: str) -> None:
        if out is not None:
            out.write(f"{safe(text)}\n")
            out.flush()

    return await _dispatch(progress_stream, write_layer, write_status)


async def _dispatch(
    progress_stream: AsyncIterator[Progress], on_layer: Callable[[Progress], None], on_status: Callable[[str], None]
) -> list[str]:
    statuses = []
    async for progress in progress_stream:
        if progress.id and not progress.stream:
            on_layer(progress)
        elif text := (progress.stream or progress.status).rstrip("\n"):
            statuses.append(text)
            on_status(text)
    return statuses
