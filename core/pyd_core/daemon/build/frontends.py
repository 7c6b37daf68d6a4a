"""The front ends of the engine: the Dockerfile's, under each of its names; others are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyd_core.buildkit import kept_failure
from pyd_core.buildkit.frontend.frontend import run_frontend
from pyd_core.buildkit.proto import control_pb2, ops_pb2
from pyd_core.daemon.build.frontend_services import EngineFrontendServices
from pyd_core.daemon.build.interfaces import FrontendResult
from pyd_core.errors import Unsupported

if TYPE_CHECKING:
    from pyd_core.daemon.build.build import Build

DOCKERFILE = "dockerfile.v0"
GATEWAY = "gateway.v0"
"""Runs the image that the attribute `source` names as a front end."""
DOCKERFILE_IMAGES = ("docker/dockerfile", "docker.io/docker/dockerfile", "docker/dockerfile-upstream")


class Frontends:
    """Runs front ends."""

    async def run(
        self,
        build: Build,
        frontend: str,
        attributes: Mapping[str, str],
        inputs: Mapping[str, ops_pb2.Definition],
        imports: tuple[control_pb2.CacheOptionsEntry, ...],
    ) -> FrontendResult:
        """Run a front end and return its result.

        Raises:
            PydError: It failed, or there is no such front end.
        """
        if frontend == kept_failure.FRONTEND:
            raise build.enter_failure(attributes.get(kept_failure.REFERENCE, ""))
        if frontend == GATEWAY:
            image = attributes.get("source", "").partition("@")[0].partition(":")[0]
            if image not in DOCKERFILE_IMAGES:
                raise _unknown(attributes.get("source", ""))
        elif frontend != DOCKERFILE:
            raise _unknown(frontend)
        services = EngineFrontendServices(build, attributes, inputs)
        outcome = await run_frontend(attributes, services, session=build.request.session_id)
        build.file = outcome.source.info
        for warning in outcome.warnings():
            build.progress.warning(warning)
        definitions = dict(zip(outcome.ref_names, (part.definition for part in outcome.builds), strict=True))
        refs = await asyncio.gather(*(build.solve(part, imports=imports) for part in definitions.values()))
        return FrontendResult(
            refs=dict(zip(definitions, refs, strict=True)), metadata=outcome.metadata, definitions=definitions
        )


def _unknown(name: str) -> Unsupported:
    return Unsupported(
        f"the front end {name[:100]!r} is not served by this engine: only Dockerfiles are",
        hint="remove the line with `# syntax=`, or name docker/dockerfile in it",
        reference="unknown-frontend",
    )
