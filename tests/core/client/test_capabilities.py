import pytest

from pyd_core.client.capabilities import Capability, capabilities

DOCKER = {"api-version": "1.45", "builder-version": "2", "docker-experimental": "false", "swarm": "inactive"}
PODMAN = {"api-version": "1.41", "builder-version": "", "docker-experimental": "true", "libpod-api-version": "5.4.2"}


@pytest.mark.parametrize(
    ("ping", "expected"),
    [
        (DOCKER, {Capability.BUILDKIT, Capability.SWARM}),
        ({**DOCKER, "swarm": "active/manager"}, {Capability.BUILDKIT, Capability.SWARM, Capability.SWARM_MANAGER}),
        ({**DOCKER, "docker-experimental": "true"}, {Capability.BUILDKIT, Capability.SWARM, Capability.CHECKPOINT}),
        (PODMAN, {Capability.LIBPOD}),
        ({}, set()),
    ],
)
def test_the_ping_reports_the_engines_capabilities(ping: dict[str, str], expected: set[Capability]):
    assert capabilities(ping) == expected
