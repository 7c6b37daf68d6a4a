"""Configurations of images that the front end writes, in the form of BuildKit's exporters."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from pyd_core.dockerfile.platforms import ImagePlatform
from pyd_core.errors import InvalidInput, PydError
from pyd_core.model.base import decode
from pyd_core.model.container_config import HealthConfig

HISTORY_COMMENT = "buildkit.dockerfile.v0"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")
MAX_CONFIG_BYTES = 8 << 20
"""Limit for a base image's configuration."""
MAX_TRIGGERS = 1000
"""Limit for a base image's ONBUILD triggers."""


class BuiltRunConfig(msgspec.Struct, kw_only=True, omit_defaults=True, rename="pascal"):
    """Settings of containers of the image."""

    user: str = ""
    exposed_ports: dict[str, dict[str, str]] = {}
    env: list[str] = []
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    volumes: dict[str, dict[str, str]] = {}
    working_dir: str = ""
    labels: dict[str, str] = {}
    stop_signal: str = ""
    args_escaped: bool = False
    healthcheck: HealthConfig | None = None
    on_build: list[str] = []
    stop_timeout: int | None = None
    shell: list[str] = []

    def set_variable(self, name: str, value: str) -> None:
        """Set an environment variable; one that exists keeps its position."""
        for index, entry in enumerate(self.env):
            if entry.partition("=")[0] == name:
                self.env[index] = f"{name}={value}"
                return
        self.env.append(f"{name}={value}")


class BuiltHistoryStep(msgspec.Struct, omit_defaults=True, kw_only=True):
    """StageStep of the history."""

    created: str | None = None
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class BuiltRootFs(msgspec.Struct, kw_only=True):
    """Layers, by the digests of the unpacked tars."""

    type: str = "layers"
    diff_ids: list[str] = []


class BuiltImageConfig(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Configuration of an image."""

    created: str | None = None
    author: str = ""
    architecture: str = ""
    variant: str = ""
    os: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    os_features: list[str] = msgspec.field(default_factory=list, name="os.features")
    config: BuiltRunConfig = msgspec.field(default_factory=BuiltRunConfig)
    rootfs: BuiltRootFs = msgspec.field(default_factory=BuiltRootFs)
    history: list[BuiltHistoryStep] = []

    @property
    def platform(self) -> ImagePlatform:
        """The platform it says it is for."""
        return ImagePlatform(self.os, self.architecture, self.variant, self.os_version)

    @property
    def has_layers(self) -> bool:
        """Whether it has layers; old images list none, but have steps that aren't empty."""
        return bool(self.rootfs.diff_ids) or any(not step.empty_layer for step in self.history)

    def record(self, text: str, *, epoch_s: int | None, has_layer: bool = False) -> None:
        """Add a step to the history."""
        self.history.append(
            BuiltHistoryStep(
                created=format_epoch(epoch_s), created_by=text, comment=HISTORY_COMMENT, empty_layer=not has_layer
            )
        )

    def encode(self) -> bytes:
        """Return it as JSON."""
        return msgspec.json.encode(self)

    def copied(self) -> BuiltImageConfig:
        """Return a copy that shares nothing."""
        return msgspec.convert(msgspec.to_builtins(self), BuiltImageConfig)


def format_epoch(epoch_s: int | None) -> str | None:
    """Return a time as images have it, or None.

    Raises:
        InvalidInput: The year has more than four digits.
    """
    if epoch_s is None:
        return None
    try:
        return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        raise InvalidInput(f"invalid SOURCE_DATE_EPOCH: {epoch_s}") from None


def empty_image(platform: ImagePlatform) -> BuiltImageConfig:
    """Return the configuration of `scratch`."""
    return BuiltImageConfig(
        architecture=platform.architecture, os=platform.os, variant=platform.variant, os_version=platform.os_version,
        config=BuiltRunConfig(working_dir="/", env=[f"PATH={DEFAULT_PATH}"]),
    )  # fmt: skip


def read_image(body: bytes, name: str) -> BuiltImageConfig:
    """Read the configuration of a base image; fields that BuildKit drops are dropped.

    Raises:
        InvalidInput: It is too long, is not JSON, or has a field of a wrong type.
    """
    if len(body) > MAX_CONFIG_BYTES:
        raise InvalidInput(f"the configuration of {name[:120]} is too long", reference="bad-image")
    try:
        image = decode(body, BuiltImageConfig, what="configuration")
    except PydError as error:
        raise InvalidInput(
            f"failed to parse image config of {name[:120]}: {error.message}", reference="bad-image"
        ) from error
    if len(image.config.on_build) > MAX_TRIGGERS:
        raise InvalidInput(f"{name[:120]} has more than {MAX_TRIGGERS} ONBUILD triggers", reference="bad-image")
    image.created = None
    return image
