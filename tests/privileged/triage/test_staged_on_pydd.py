"""The same deaths on the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.docker import Docker
from support.staged import Staged, chosen
from support.stages import STAGES, check
from support.staging import Stage


@pytest.fixture(scope="module")
def staged(request: pytest.FixtureRequest, pydd: Docker, pydd_image: str) -> Iterator[Staged]:
    with Staged(pydd, pydd_image, chosen(request, test_names_the_cause)) as crew:
        yield crew


@pytest.mark.parametrize("this", STAGES, ids=lambda this: this.short)
def test_names_the_cause(staged: Staged, table: Any, this: Stage) -> None:
    verdict = staged.verdict(this)
    table.rows.append(("pydd", this.short, verdict))
    check(verdict, this.cause, this.also, this.says)
