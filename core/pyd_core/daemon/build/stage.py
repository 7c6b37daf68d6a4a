"""A stage of a build: the image it has come to, its configuration, its arguments."""

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
    """Where a stage is."""

    services: BuildServices
    name: str
    image: ImageRecord
    config: ContainerConfig
    use_cache: bool
    """Until a step wasn't found in it: what comes after was made from something else."""
    sources: list[ImageRecord] | None = None
    """The images of `--cache-from`; None without that option: then every image is a cache."""
    arguments: dict[str, str] = field(default_factory=dict)
    """By ARG, with their values."""
    proxies: dict[str, str] = field(default_factory=dict)
    author: str = ""
    own_command: bool = False
    """Whether CMD was set here: ENTRYPOINT takes an inherited one away."""

    @property
    def variables(self) -> dict[str, str]:
        """What `$NAME` stands for: ENV is stronger than ARG."""
        env = {name: value for name, _, value in (entry.partition("=") for entry in self.config.env)}
        return {**self.arguments, **env}

    @property
    def run_arguments(self) -> list[str]:
        """The arguments a RUN step has in its environment and its history, in order of name."""
        env = {entry.partition("=")[0] for entry in self.config.env}
        return [f"{name}={self.arguments[name]}" for name in sorted(self.arguments) if name not in env]

    @property
    def empty(self) -> bool:
        """Return whether it is `FROM scratch` without a step."""
        return not self.image.layers and not self.services.images.config(self.image).history

    def cached(self, created_by: str, config: ContainerConfig) -> bool:
        """Moves on to an image that the same step made from the same image before, if there is one."""
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
        """Goes on from an image."""
        self.image, self.config = image, config

    async def configure(
        self, words: str, *, check: Callable[[], Awaitable[None]] | None = None, **changes: object
    ) -> bool:
        """Change only the configuration; return whether the result was in the cache, which needs no check."""
        config = msgspec.structs.replace(self.config, **changes)
        created_by = told(config, f" {words}")
        if self.cached(created_by, config):
            return True
        if check is not None:
            await check()
        self.move(await derive(self.services.images, self.image, config, self.origin(created_by)), config)
        return False

    def origin(self, created_by: str) -> Origin:
        """What history tells of a step."""
        return Origin(created_by=created_by, author=self.author)


def told(config: ContainerConfig, words: str) -> str:
    """What history says of a step that runs nothing, as Docker Engine has it: with the shell that it ends with."""
    return f"{' '.join(config.shell or DEFAULT_SHELL)} #(nop) {words}"
