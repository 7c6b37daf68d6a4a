"""Logs of Podman: its timestamps have whole seconds only, so many lines share one."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.gap import Gap
from pyd_core.logs.follow import follow
from pyd_core.logs.line import LogLine
from support.docker import Docker, compile_static
from support.missing import missing
from support.podman import Podman
from support.proxy import Proxy

TIMEOUT_S = 600
"""Seconds that a busy machine may take."""
TALKER = """
#include <stdio.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 3000; i++) { printf("%d\\n", i); fflush(stdout); if (i % 50 == 0) usleep(20000); }
    pause();
}
"""


@pytest.fixture(scope="module")
def corner() -> Iterator[Docker]:
    if shutil.which("podman") is None:
        missing("podman (sh test.sh installs it)")
    with Podman() as podman, podman.corner() as corner:
        yield corner


@pytest.fixture(scope="module")
def talker(corner: Docker, tmp_path_factory: pytest.TempPathFactory) -> str:
    program = compile_static(TALKER, tmp_path_factory.mktemp("talker") / "talk")
    return corner.image("talker", {"talk": program}, 'CMD ["/talk"]')


async def test_a_cut_connection_loses_no_line_and_repeats_none(corner: Docker, talker: str, tmp_path: Path):
    numbers: list[int] = []
    gaps: list[Gap] = []
    async with (
        Proxy(Path(corner.host.removeprefix("unix://")), tmp_path / "cut.sock") as proxy,
        open_engine(Endpoint(url=proxy.url)) as engine,
        asyncio.timeout(TIMEOUT_S),
    ):
        name = await asyncio.to_thread(corner.run, "talk", talker, options=("--network", "none"))
        async with aclosing(follow(engine, name, follow=True)) as stream:
            async for item in stream:
                if isinstance(item, Gap):
                    gaps.append(item)
                    continue
                numbers.append(int(item.data))
                if numbers[-1] in {700, 1900}:
                    proxy.drop()
                if numbers[-1] == 2999:
                    break
    assert numbers == list(range(3000))
    assert gaps


async def test_following_goes_on_through_a_restart(corner: Docker, talker: str):
    async with open_engine(Endpoint(url=corner.host)) as engine, asyncio.timeout(TIMEOUT_S):
        name = await asyncio.to_thread(corner.run, "again", talker, options=("--network", "none"))
        numbers: list[int] = []
        async with aclosing(follow(engine, name, follow=True)) as stream:
            async for item in stream:
                assert isinstance(item, LogLine)
                numbers.append(int(item.data))
                if len(numbers) == 3000:
                    await asyncio.to_thread(corner, "restart", "-t", "0", name)
                if len(numbers) == 6000:
                    break
    assert numbers == [*range(3000), *range(3000)]
