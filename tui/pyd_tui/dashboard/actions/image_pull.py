"""The pull of an image, with one bar for all layers."""

from __future__ import annotations

from pyd_core.client.provider import Provider, engine_of
from pyd_core.errors import NotFound
from pyd_core.model.progress import Progress
from pyd_core.sanitise import safe
from pyd_tui.dashboard.actions.job_progress import Jobs


class PullLayers:
    """The progress of a pull or push, in transferred bytes of all layers.

    Args:
        moving: The status of a layer that is transferred.
        done: The statuses of a layer that has been.
    """

    def __init__(
        self, moving: str = "Downloading", done: tuple[str, ...] = ("Download complete", "Pull complete")
    ) -> None:
        self._moving, self._finished = moving, done
        self._fetched: dict[str, tuple[int, int]] = {}

    def add(self, step: Progress) -> None:
        """Add one line of the stream."""
        if step.id and step.status == self._moving:
            self._fetched[step.id] = (step.progress_detail.current, step.progress_detail.total)
        elif step.id in self._fetched and step.status in self._finished:
            total = self._fetched[step.id][1]
            self._fetched[step.id] = (total, total)

    @property
    def done(self) -> int:
        """The number of downloaded bytes."""
        return sum(current for current, _ in self._fetched.values())

    @property
    def total(self) -> int:
        """The number of bytes of all layers known so far."""
        return sum(total for _, total in self._fetched.values())


async def pull_image(engine: Provider, image: str, jobs: Jobs) -> bool:
    """Pull an image by name, and return whether it differs from the one that was there.

    Raises:
        PydError: The registry or the engine refused.
    """
    job = f"pulling {safe(image)}"
    before = await _identity(engine, image)
    layers = PullLayers()
    jobs.update(job)
    try:
        named = ":" in image.rpartition("/")[2] or "@" in image
        async with engine_of(engine).images.pull(image, tag=None if named else "latest") as progress:
            async for step in progress:
                layers.add(step)
                jobs.update(job, layers.done, layers.total)
    finally:
        jobs.end(job)
    return await _identity(engine, image) != before


async def _identity(engine: Provider, image: str) -> str:
    try:
        return (await engine_of(engine).images.inspect(image)).id
    except NotFound:
        return ""
