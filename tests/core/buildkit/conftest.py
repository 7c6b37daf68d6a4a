"""Fixtures that compile Dockerfiles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from core.buildkit.declared_images import DeclaredImages
from pyd_core.buildkit.frontend.compiler import CompiledBuild, DockerfileSource, compile_dockerfile
from pyd_core.buildkit.frontend.options import parse_options


@pytest.fixture
def services() -> DeclaredImages:
    images = DeclaredImages()
    images.images["docker.io/library/base:latest"] = {"Env": ["PATH=/bin", "X=y"], "Cmd": ["sh"]}
    return images


@pytest.fixture
def compile_text(services: DeclaredImages) -> Callable[..., CompiledBuild]:
    """Compile a Dockerfile with front-end attributes."""

    def run(text: str, attributes: dict[str, str] | None = None) -> CompiledBuild:
        options = parse_options({"platform": "linux/amd64", **(attributes or {})}, session="s")
        source = DockerfileSource(text=text.encode())
        return asyncio.run(compile_dockerfile(source, options=options, services=services))[0]

    return run
