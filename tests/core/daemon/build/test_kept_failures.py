"""Failed steps that are kept for a debugger."""

from __future__ import annotations

import pytest

from pyd_core.daemon.build.interfaces import VertexError
from pyd_core.daemon.build.kept_failures import MAX_FAILURES, KeptFailure, KeptFailures
from pyd_core.errors import NotFound


class Ref:
    """A result that counts its releases."""

    def __init__(self) -> None:
        self.id = f"ref-{id(self)}"
        self.releases = 0

    async def release(self) -> None:
        self.releases += 1


def _failure(ref: Ref) -> KeptFailure:
    return KeptFailure(VertexError("failed", digest="sha256:a", mounts=[ref, None]))  # type: ignore[list-item]


async def test_only_the_last_failures_are_kept() -> None:
    failures = KeptFailures()
    refs = [Ref() for _ in range(MAX_FAILURES + 2)]
    for number, ref in enumerate(refs):
        await failures.add(f"build{number}", _failure(ref))
    assert [ref.releases for ref in refs] == [1, 1] + [0] * MAX_FAILURES
    with pytest.raises(NotFound, match="build0") as missing:
        failures.find("build0")
    assert missing.value.reference == "no-kept-failure"
    assert [id(state) for state in failures.find("build2").states()] == [id(refs[2])]


async def test_a_failure_that_a_debugger_looks_at_stays() -> None:
    failures = KeptFailures()
    used, unused = Ref(), Ref()
    await failures.add("used", _failure(used))
    await failures.add("unused", _failure(unused))
    failures.find("used").users += 1
    await failures.clear()
    assert (used.releases, unused.releases) == (0, 1)
    failures.find("used").users -= 1
    await failures.clear()
    assert used.releases == 1


async def test_a_build_has_one_failure() -> None:
    failures = KeptFailures()
    first, second = Ref(), Ref()
    await failures.add("build", _failure(first))
    await failures.add("build", _failure(second))
    assert (first.releases, second.releases) == (1, 0)
