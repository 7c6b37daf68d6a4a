import pytest

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import NotFound
from support.docker import LABEL, Docker


async def test_an_image_tells_what_it_is_made_of(engine: EngineClient, corner: Docker, shell: str):
    image = await engine.images.inspect(shell)
    assert image.config.cmd == ["/bin/sh"]
    assert "COLOUR=blue" in image.config.env
    assert image.config.labels[LABEL] == corner.prefix
    assert image.os == "linux"
    assert image.size > 100_000
    assert len(image.root_fs.layers) == 1
    history = await engine.images.history(shell)
    assert history[0].size > 100_000
    assert history[0].created > 1_600_000_000


async def test_names_are_given_and_taken(engine: EngineClient, corner: Docker, shell: str):
    repository = corner.name("named")
    await engine.images.tag(shell, repository=repository, tag="v2")
    full = f"{repository}:v2"
    mine = {"label": [f"{LABEL}={corner.prefix}"]}
    tags = {tag for image in await engine.images.list(filters=mine) for tag in image.repo_tags}
    assert any(tag.endswith(full) for tag in tags)
    removed = await engine.images.remove(full)
    assert any(item.untagged.endswith(full) for item in removed)
    assert not any(item.deleted for item in removed)
    with pytest.raises(NotFound):
        await engine.images.inspect(full)
    assert (await engine.images.inspect(shell)).id


async def test_saved_images_load_again(engine: EngineClient, shell: str):
    async with engine.images.save([shell]) as stream:
        tar = b"".join([chunk async for chunk in stream.chunks()])
    async with engine.images.load(tar) as reported:
        output = [line.stream async for line in reported]
    assert any("Loaded image" in line for line in output)


async def test_pruning_by_a_label_nobody_has_removes_nothing(engine: EngineClient, corner: Docker, shell: str):
    pruned = await engine.images.prune(filters={"label": [f"{LABEL}={corner.prefix}-none"]})
    assert pruned.images_deleted == []
