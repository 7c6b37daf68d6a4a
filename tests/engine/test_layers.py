"""Layers of a real image, read from the store and from the archive that the engine sends."""

from __future__ import annotations

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.layers import inspect, local
from pyd_core.layers.content import ImageContents, stack_layers
from support.docker import LONE, Docker, busybox_files

KIB = 1024


def changed(docker: Docker, base: str, short: str, script: str) -> str:
    """An image with one layer more, made by running a script."""
    container = docker.run(short, base, "/bin/sh", "-c", script, options=LONE)
    docker("wait", container)
    full = f"{docker.name(short)}:1"
    docker("commit", container, full)
    docker("rm", container)
    return full


async def test_files_of_each_layer_and_what_they_waste_by_the_store_and_by_the_archive(docker: Docker):
    image = docker.image("layers", {**busybox_files(), "data/big": b"x" * 64 * KIB, "data/old/a": b"y" * 8 * KIB})
    image = changed(docker, image, "l2", "head -c 65536 /dev/zero > /data/big; echo hi > /data/new")
    image = changed(docker, image, "l3", "rm -r /data/old; rm /data/new; mkdir -p /data/old; echo b > /data/old/b")
    async with open_engine(Endpoint(url=docker.host)) as engine:
        result = await engine.images.inspect(image)
        reported: list[int] = []
        by_archive = await inspect._read_through_engine(engine, result, reported.append)
        sent = stack_layers(by_archive)
        read = await inspect.image_contents(engine, result, reported.append)
    assert reported
    for contents in (sent, read):
        first, second, third = contents.steps
        assert (second.added, second.changed, second.wasted) == (1, 1, 64 * KIB)
        assert (third.added, third.removed, third.wasted) == (1, 2, 8 * KIB + 3)
        assert first.added > 100
        assert [item.path for item in contents.waste] == ["data/big", "data/old/a", "data/new"]
        assert [item.copies for item in contents.waste] == [2, 1, 1]
    assert _plain(sent) == _plain(read)
    if local.layer_directories(result.graph_driver):
        assert reported[-1] > 64 * KIB  # only the archive reported progress


def _plain(contents: ImageContents) -> list[tuple[int, int, int, int]]:
    return [(step.added, step.changed, step.removed, step.size) for step in contents.steps]
