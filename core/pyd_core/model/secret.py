"""Secrets and configs of a swarm: files for tasks. The engine never returns a secret's content."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.service import ObjectVersion


class SecretSpec(ApiStruct):
    """Requested settings of a secret."""

    SPEC: ClassVar[str] = "SecretSpec"

    name: str = ""
    labels: dict[str, str] = {}
    data: str = ""
    """Base 64 with `+` and `/`, though the contract asks for the URL-safe alphabet; only in requests."""


class Secret(ApiStruct):
    """Secret of a swarm."""

    SPEC: ClassVar[str] = "Secret"

    id: str = msgspec.field(name="ID", default="")
    version: ObjectVersion = msgspec.field(default_factory=ObjectVersion)
    created_at: str = ""
    updated_at: str = ""
    spec: SecretSpec = msgspec.field(default_factory=SecretSpec)


class ConfigSpec(ApiStruct):
    """Requested settings of a config."""

    SPEC: ClassVar[str] = "ConfigSpec"

    name: str = ""
    labels: dict[str, str] = {}
    data: str = ""
    """Base 64."""


class Config(ApiStruct):
    """Config of a swarm."""

    SPEC: ClassVar[str] = "Config"

    id: str = msgspec.field(name="ID", default="")
    version: ObjectVersion = msgspec.field(default_factory=ObjectVersion)
    created_at: str = ""
    updated_at: str = ""
    spec: ConfigSpec = msgspec.field(default_factory=ConfigSpec)
