"""The same deaths on Podman, over its Docker-compatible API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.coverage_page import on_podman
from support.docker import Docker
from support.staged import Staged, chosen
from support.stages import STAGES, check
from support.staging import Stage


@pytest.fixture(scope="module")
def staged(request: pytest.FixtureRequest, podman: Docker, podman_image: str) -> Iterator[Staged]:
    with Staged(podman, podman_image, chosen(request, test_names_the_cause)) as crew:
        yield crew


ELSE = {"stop-timeout": "killed-by-user", "stop-with-kill": "killed-by-user", "kill-term": "stopped"}
"""Podman reports no signals, and a stop only after its clean-up. Until then a stop that ended by SIGKILL looks like a
kill, and a kill by SIGTERM like a stop."""

ON_PODMAN = [this for this in STAGES if on_podman(this)]


@pytest.mark.parametrize("this", ON_PODMAN, ids=lambda this: this.short)
def test_names_the_cause(staged: Staged, table: Any, this: Stage) -> None:
    verdict = staged.verdict(this)
    table.rows.append(("podman", this.short, verdict))
    untold = ELSE.get(this.short)
    check(verdict, untold if untold == verdict.cause else this.cause, this.also)
