"""Pulling an image, all its layers as one bar."""

from __future__ import annotations

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import NotFound
from pyd_core.model.progress import Progress
from pyd_core.sanitise import safe
from pyd_tui.dashboard.actions.job_progress import Jobs


class PullLayers:
    """How far the layers of a pull are: what is fetched counts, in bytes."""

    def __init__(self) -> None:
        self._fetched: dict[str, tuple[int, int]] = {}

    def take(self, told: Progress) -> None:
        """Takes one line of the stream."""
        if told.id and told.status == "Downloading":
            self._fetched[told.id] = (told.progress_detail.current, told.progress_detail.total)
        elif told.id in self._fetched and told.status in {"Download complete", "Pull complete"}:
            total = self._fetched[told.id][1]
            self._fetched[told.id] = (total, total)

    @property
    def done(self) -> int:
        """Bytes fetched."""
        return sum(current for current, _ in self._fetched.values())

    @property
    def total(self) -> int:
        """Bytes of all layers known so far."""
        return sum(total for _, total in self._fetched.values())


async def pulled(engine: EngineClient, image: str, jobs: Jobs) -> bool:
    """Pulls an image by its name, and returns whether that is another than the one that was there.

    Raises:
        PydError: The registry or the engine said no.
    """
    job = f"pulling {safe(image)}"
    before = await _identity(engine, image)
    layers = PullLayers()
    jobs.tell(job)
    try:
        named = ":" in image.rpartition("/")[2] or "@" in image
        async with engine.images.pull(image, tag=None if named else "latest") as progress:
            async for told in progress:
                layers.take(told)
                jobs.tell(job, layers.done, layers.total)
    finally:
        jobs.end(job)
    return await _identity(engine, image) != before


async def _identity(engine: EngineClient, image: str) -> str:
    try:
        return (await engine.images.inspect(image)).id
    except NotFound:
        return ""
