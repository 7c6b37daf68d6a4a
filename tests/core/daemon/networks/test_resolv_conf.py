"""A container's resolv.conf: of the host's, of what was asked for and of the network's own server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyd_core.daemon.networks import resolv_conf
from pyd_core.model.host_config import HostConfig

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HOST = """# made by an administrator
nameserver 127.0.0.53
nameserver 192.0.2.1
nameserver nonsense
search one.example
search two.example three.example
options edns0 ndots:2
"""


def lines(host_text: str = HOST, server: str = "", *, within: bool = False, **fields: Any) -> list[str]:
    return resolv_conf.plan(HostConfig(**fields), host_text, server, on_host_network=within).splitlines()


def test_it_is_the_hosts_but_for_servers_a_container_can_not_reach():
    assert lines() == ["nameserver 192.0.2.1", "search two.example three.example", "options edns0 ndots:2"]


def test_a_container_on_the_hosts_network_asks_what_listens_there():
    assert lines(within=True)[:2] == ["nameserver 127.0.0.53", "nameserver 192.0.2.1"]


def test_without_a_reachable_server_docker_engines_defaults_are_used():
    assert lines("nameserver ::1\n") == ["nameserver 8.8.8.8", "nameserver 8.8.4.4"]


def test_requested_settings_replace_the_hosts():
    written = lines(dns=["203.0.113.9"], dns_search=["."], dns_options=["timeout:1"])
    assert written == ["nameserver 203.0.113.9", "options timeout:1"]


def test_a_network_with_its_own_name_server_tries_names_as_they_are_first():
    assert lines(server="10.0.0.1", dns=["203.0.113.9"]) == [
        "nameserver 10.0.0.1",
        "search two.example three.example",
        "options edns0 ndots:0",
    ]
    assert lines(server="10.0.0.1", dns_options=["ndots:3"])[-1] == "options ndots:3"


def test_a_host_only_name_server_is_replaced_by_its_upstream_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stub, behind = tmp_path / "stub", tmp_path / "behind"
    stub.write_text("nameserver 127.0.0.53\n")
    behind.write_text("nameserver 192.0.2.7\n")
    monkeypatch.setattr(resolv_conf, "HOST_FILE", stub)
    monkeypatch.setattr(resolv_conf, "RESOLVED_UPSTREAM_FILE", behind)
    assert resolv_conf.read_host_file(on_host_network=False) == "nameserver 192.0.2.7\n"
    assert resolv_conf.read_host_file(on_host_network=True) == "nameserver 127.0.0.53\n"
    behind.unlink()
    assert resolv_conf.read_host_file(on_host_network=False) == "nameserver 127.0.0.53\n"
    stub.write_text("nameserver 127.0.0.53\nnameserver 192.0.2.8\n")
    behind.write_text("nameserver 192.0.2.7\n")
    assert "192.0.2.8" in resolv_conf.read_host_file(on_host_network=False)
