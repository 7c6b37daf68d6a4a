"""Secrets and configs of a swarm: files handed to tasks. The engine never tells what is in a secret."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.service import ObjectVersion


class SecretSpec(ApiStruct):
    """What a secret shall be."""

    SPEC: ClassVar[str] = "SecretSpec"

    name: str = ""
    labels: dict[str, str] = {}
    data: str = ""
    """Base 64 with `+` and `/`, though the contract asks for the URL-safe alphabet; only on the way to the engine."""


class Secret(ApiStruct):
    """A secret."""

    SPEC: ClassVar[str] = "Secret"

    id: str = msgspec.field(name="ID", default="")
    version: ObjectVersion = msgspec.field(default_factory=ObjectVersion)
    created_at: str = ""
    updated_at: str = ""
    spec: SecretSpec = msgspec.field(default_factory=SecretSpec)


class ConfigSpec(ApiStruct):
    """What a config shall be."""

    SPEC: ClassVar[str] = "ConfigSpec"

    name: str = ""
    labels: dict[str, str] = {}
    data: str = ""
    """Base 64."""


class Config(ApiStruct):
    """A config."""

    SPEC: ClassVar[str] = "Config"

    id: str = msgspec.field(name="ID", default="")
    version: ObjectVersion = msgspec.field(default_factory=ObjectVersion)
    created_at: str = ""
    updated_at: str = ""
    spec: ConfigSpec = msgspec.field(default_factory=ConfigSpec)
