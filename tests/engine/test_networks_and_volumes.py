import pytest

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import NotFound
from pyd_core.model.network import NetworkBody
from pyd_core.model.volume import VolumeBody
from support.docker import LABEL, QUICK, Docker


async def test_a_network_knows_its_members(engine: EngineClient, corner: Docker, shell: str):
    mine = {LABEL: corner.prefix}
    network = corner.name("net")
    created = await engine.networks.create(NetworkBody(name=network, labels=mine))
    member = corner.run("member", shell, "sleep", "600", options=("--network", network, *QUICK))
    try:
        result = await engine.networks.inspect(created)
        assert (result.name, result.driver) == (network, "bridge")
        assert result.ipam.config[0].subnet
        assert [inside.name for inside in result.containers.values()] == [member]
        assert network in {item.name for item in await engine.networks.list(filters={"name": [network]})}

        settings = (await engine.containers.inspect(member)).network_settings.networks[network]
        assert settings.ip_address

        await engine.networks.disconnect(network, member)
        assert not (await engine.networks.inspect(network)).containers
        await engine.networks.connect(network, member)
        assert (await engine.networks.inspect(network)).containers
    finally:
        corner("rm", "-f", member)
        pruned = await engine.networks.prune(filters={"label": [f"{LABEL}={corner.prefix}"]})
    assert pruned.networks_deleted == [network]
    with pytest.raises(NotFound):
        await engine.networks.inspect(network)


async def test_a_volume_is_made_used_and_removed(engine: EngineClient, corner: Docker, shell: str):
    mine = {LABEL: corner.prefix}
    name = corner.name("vol")
    created = await engine.volumes.create(VolumeBody(name=name, labels=mine))
    assert (created.name, created.driver, created.labels) == (name, "local", mine)
    user = corner.create("user", shell, "true", options=("-v", f"{name}:/data"))
    [mount] = (await engine.containers.inspect(user)).mounts
    assert (mount.type, mount.name, mount.destination, mount.rw) == ("volume", name, "/data", True)
    corner("rm", user)
    assert name in {volume.name for volume in await engine.volumes.list(filters={"name": [name]})}
    assert (await engine.volumes.inspect(name)).mountpoint == created.mountpoint
    await engine.volumes.remove(name)
    with pytest.raises(NotFound):
        await engine.volumes.inspect(name)


async def test_unused_volumes_are_pruned_by_label(engine: EngineClient, corner: Docker):
    name = corner.name("unused")
    await engine.volumes.create(VolumeBody(name=name, labels={LABEL: corner.prefix, "pyd.prune": "yes"}))
    filters = {"label": ["pyd.prune=yes", f"{LABEL}={corner.prefix}"]}
    assert (await engine.volumes.prune(filters=filters, all=True)).volumes_deleted == [name]
