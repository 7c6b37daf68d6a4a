from __future__ import annotations

import msgspec

from pyd_core.cri.node_container import CONTAINER_NAME, POD_NAME, POD_NAMESPACE, NodeContainer, container_of, summary_of
from pyd_core.cri.oci_spec import MAX_SPEC_BYTES, OciSpec, parse_spec

SPEC = {
    "process": {"args": ["web", "-v"], "env": ["A=1"], "cwd": "/srv", "user": {"uid": 7, "gid": 8}},
    "root": {"path": "rootfs", "readonly": True},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/data", "type": "bind", "source": "/var/data", "options": ["rbind", "ro"]},
    ],
    "linux": {
        "resources": {"memory": {"limit": 1024}, "cpu": {"quota": 50000, "period": 100000}, "pids": {"limit": -1}},
        "namespaces": [{"type": "pid"}, {"type": "network"}],
    },
}


def test_a_specification_becomes_the_shared_model():
    labels = {POD_NAME: "web", POD_NAMESPACE: "shop", CONTAINER_NAME: "app"}
    spec = parse_spec(msgspec.json.encode(SPEC))
    container = container_of(
        NodeContainer(
            id="a" * 64,
            labels=labels,
            status="exited",
            exit_code=137,
            reason="OOMKilled",
            finished_ns=10**18,
            snapshotter="overlayfs",
            snapshot="a" * 64,
            spec=spec,
        )
    )
    assert container.name == "shop/web/app"
    assert (container.path, container.args, container.config.user) == ("web", ["-v"], "7:8")
    assert (container.state.oom_killed, container.state.exit_code) == (True, 137)
    assert container.state.finished_at == "2001-09-09T01:46:40.000000000Z"
    limits = container.host_config
    assert (limits.memory, limits.nano_cpus, limits.pids_limit, limits.readonly_rootfs) == (1024, 5 * 10**8, None, True)
    assert [(mount.source, mount.rw) for mount in container.mounts] == [("/var/data", False)]
    assert container.graph_driver.name == "overlayfs"


def test_hostile_specifications_are_empty():
    for document in (b"", b"[]", b"{", b'{"process": 1}', b'{"linux": {"resources": []}}', b" " * (MAX_SPEC_BYTES + 1)):
        assert parse_spec(document) == OciSpec()


def test_names_come_from_pods_then_nerdctl_then_ids():
    assert summary_of(NodeContainer(id="x", labels={"nerdctl/name": "db"})).name == "db"
    assert summary_of(NodeContainer(id="plain")).name == "plain"
    assert summary_of(NodeContainer(id="x", status="exited", exit_code=3)).status == "Exited (3)"
    assert container_of(NodeContainer(id="x", created_ns=2**80)).created == ""
