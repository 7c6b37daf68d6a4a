"""docker-py's own integration tests: what passes on Docker Engine passes here, but for what is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clients import engine, python_with, run_suite, seed, source_of, without

pytestmark = pytest.mark.timeout(5400)  # what is fetched first, and suites that take minutes on an idle machine

VERSION = "docker==6.1.3"
"""The last release whose source archive has its tests."""
NEEDS = ("docker[ssh]==6.1.3", "requests<2.32", "urllib3<2", "pytest<8", "pytest-timeout", "setuptools<70")
TESTS = "tests/integration"
LEFT_OUT = [
    f"{TESTS}/{name}_test.py"
    for name in (
        *("api_swarm", "api_service", "api_secret", "api_config"),
        *("models_swarm", "models_services", "models_nodes"),
        "context_api",  # asks no engine anything
    )
]
"""Swarms, and what has nothing to do with engines."""
DIFFERS = {
    "TestNetworks::test_create_network_attachable": "needs a swarm",
    "TestNetworks::test_create_inspect_network_with_scope": "needs a swarm",
    "TestNetworks::test_create_network_ingress": "needs a swarm",
    "TestNetworks::test_connect_with_ipv6_address": "an IPv6 subnet with a host's part, of a network without IPv6",
    "TestNetworks::test_create_with_ipv6_address": "an IPv6 subnet with a host's part, of a network without IPv6",
    "PluginTest::test_create_plugin": "there are no plugins",
    "PluginTest::test_plugin_privileges": "there are no plugins",
    "BuildTest::test_build_with_cache_from": "--cache-from has no effect",
    "BuildTest::test_build_stderr_data": "errors of RUN have no colour",
}
"""What passes on Docker Engine alone, and why."""


def test_docker_pys_own_tests(tmp_path: Path):
    bin_ = python_with(tmp_path / "environment", *NEEDS)
    source = source_of(tmp_path / "source", bin_, VERSION)
    passed: dict[str, frozenset[str]] = {}
    for kind in ("docker", "pydd"):
        with engine(kind) as docker:
            seed(docker, "alpine:3.10", "alpine:latest", "busybox:latest")
            outcome = run_suite(bin_, source, docker, TESTS, *without(LEFT_OUT), DOCKER_TEST_API_VERSION="1.45")
            (tmp_path / f"{kind}.log").write_text(outcome.output)
            passed[kind] = outcome.passed
    assert len(passed["docker"]) > 200, (tmp_path / "docker.log").read_text()[-5000:]
    lost = passed["docker"] - passed["pydd"]
    print(f"docker-py: {len(passed['docker'])} pass on Docker Engine, {len(passed['docker'] - lost)} of them here")  # noqa: T201
    assert lost <= DIFFERS.keys(), f"{sorted(lost - DIFFERS.keys())}\n{(tmp_path / 'pydd.log').read_text()[-20000:]}"
