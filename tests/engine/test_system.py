import pytest

from pyd_core.client.capabilities import Capability
from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import Unsupported
from support.docker import Docker


async def test_an_engine_introduces_itself(engine: EngineClient):
    version, info = await engine.system.version(), await engine.system.info()
    assert version.version
    assert version.api_version
    assert any(part.version for part in version.components)
    assert info.ncpu > 0
    assert info.mem_total > 0
    assert info.cgroup_version in {"1", "2"}
    assert info.driver
    assert info.os_type == "linux"


async def test_disk_use_counts_our_image(engine: EngineClient, running: str, shell: str):
    used = await engine.system.disk_usage()
    assert any(container.name == running for container in used.containers)
    assert used.images


async def test_what_an_engine_cannot_do_is_refused_before_it_is_tried(engine: EngineClient, corner: Docker):
    swarm, libpod = await engine.can(Capability.SWARM), await engine.can(Capability.LIBPOD)
    assert swarm != libpod
    await engine.require(Capability.LIBPOD if libpod else Capability.SWARM)
    with pytest.raises(Unsupported, match=corner.host):
        await engine.require(Capability.SWARM if libpod else Capability.LIBPOD)
