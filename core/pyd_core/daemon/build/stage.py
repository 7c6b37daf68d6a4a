"""Stages of a build: the current image, its configuration, its arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from pyd_core.daemon.build import cache
from pyd_core.daemon.build.services import BuildServices
from pyd_core.daemon.containers.commit import Origin, derive
from pyd_core.daemon.images.changes import DEFAULT_SHELL
from pyd_core.daemon.images.store import ImageRecord
from pyd_core.model.container_config import ContainerConfig


@dataclass
class BuildStage:
    """State of a stage."""

    services: BuildServices
    name: str
    image: ImageRecord
    config: ContainerConfig
    use_cache: bool
    """Cleared at the first cache miss: later steps are based on another image."""
    sources: list[ImageRecord] | None = None
    """The images of `--cache-from`; None without that option: then every image is a cache."""
    arguments: dict[str, str] = field(default_factory=dict)
    """Values of the arguments from ARG."""
    proxies: dict[str, str] = field(default_factory=dict)
    author: str = ""
    own_command: bool = False
    """Whether CMD was set in this stage: ENTRYPOINT removes an inherited one."""

    @property
    def variables(self) -> dict[str, str]:
        """The values of `$NAME`: ENV overrides ARG."""
        env = {name: value for name, _, value in (entry.partition("=") for entry in self.config.env)}
        return {**self.arguments, **env}

    @property
    def run_arguments(self) -> list[str]:
        """The arguments in a RUN step's environment and history, sorted by name."""
        env = {entry.partition("=")[0] for entry in self.config.env}
        return [f"{name}={self.arguments[name]}" for name in sorted(self.arguments) if name not in env]

    @property
    def empty(self) -> bool:
        """Return whether it is `FROM scratch` without a step."""
        return not self.image.layers and not self.services.images.config(self.image).history

    def cached(self, created_by: str, config: ContainerConfig) -> bool:
        """Advance to an image that the same step created from the same image before, if there is one."""
        if not self.use_cache:
            return False
        images = self.services.images
        image = cache.find_child(images, self.image, created_by, config, self.sources)
        for source in [] if image else self.sources or []:
            image = cache.restore(images, self.image, created_by, config, source)
            if image is not None:
                self.sources = [source]  # as in Docker Engine, later steps come from the same image only
                break
        if image is None:
            self.use_cache = False
            return False
        self.move(image, config)
        return True

    def move(self, image: ImageRecord, config: ContainerConfig) -> None:
        """Advance to an image."""
        self.image, self.config = image, config

    async def configure(
        self, words: str, *, check: Callable[[], Awaitable[None]] | None = None, **changes: object
    ) -> bool:
        """Change only the configuration; return whether the result was in the cache, which needs no check."""
        config = msgspec.structs.replace(self.config, **changes)
        created_by = history_text(config, f" {words}")
        if self.cached(created_by, config):
            return True
        if check is not None:
            await check()
        self.move(await derive(self.services.images, self.image, config, self.origin(created_by)), config)
        return False

    def origin(self, created_by: str) -> Origin:
        """Return a step's entry for the history."""
        return Origin(created_by=created_by, author=self.author)


def history_text(config: ContainerConfig, words: str) -> str:
    """Return the history text of a step that runs nothing, as in Docker Engine: with the shell it ends with."""
    return f"{' '.join(config.shell or DEFAULT_SHELL)} #(nop) {words}"
