"""Swarms that an engine is a member of."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.service import ObjectVersion


class SwarmSpec(ApiStruct):
    """Requested settings of a swarm."""

    SPEC: ClassVar[str] = "SwarmSpec"

    name: str = ""
    labels: dict[str, str] = {}


class JoinTokens(ApiStruct):
    """Tokens that machines join with; secrets."""

    SPEC: ClassVar[str] = "JoinTokens"

    worker: str = ""
    manager: str = ""


class TlsInfo(ApiStruct):
    """Certificate authority of the members."""

    SPEC: ClassVar[str] = "TLSInfo"

    trust_root: str = ""
    """PEM."""


class UnlockKey(ApiStruct):
    """Key that unlocks a manager; a secret."""

    SPEC: ClassVar[str] = "GET /swarm/unlockkey 200"

    unlock_key: str = ""


class Swarm(ApiStruct):
    """Swarm, as reported by a manager."""

    SPEC: ClassVar[str] = "Swarm"

    id: str = msgspec.field(name="ID", default="")
    version: ObjectVersion = msgspec.field(default_factory=ObjectVersion)
    created_at: str = ""
    updated_at: str = ""
    spec: SwarmSpec = msgspec.field(default_factory=SwarmSpec)
    join_tokens: JoinTokens = msgspec.field(default_factory=JoinTokens)
    tls_info: TlsInfo = msgspec.field(name="TLSInfo", default_factory=TlsInfo)
