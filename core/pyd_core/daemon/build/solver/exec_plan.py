"""The plan of a step's container: a pure function from the operation to the OCI specification.

A step has the security defaults of every container: `daemon/containers/oci_spec.py` plans it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.containers import oci_spec
from pyd_core.daemon.containers.record import ContainerRecord, MountRecord
from pyd_core.daemon.runtime.planned_spec import PlannedSpec
from pyd_core.errors import InvalidInput, Refused
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.host_config import HostConfig
from pyd_core.model.resources import Ulimit

HOSTNAME = "buildkitsandbox"
"""The default, as in BuildKit."""
MAX_ARGUMENTS = 100_000
MAX_MOUNTS = 1000
MAX_HOSTS = 1000


@dataclass(frozen=True, kw_only=True)
class StepMount:
    """A mount of a step, with its source on the host."""

    target: str
    source: str = ""
    """Empty for a tmpfs."""
    read_only: bool = False
    size: int = 0
    """Bytes of a tmpfs; 0 is no limit of its own."""
    plain: bool = False
    """Whether programs and devices there are of no use: for secrets and sockets."""


def check(op: ops_pb2.ExecOp, entitlements: frozenset[str]) -> None:
    """Check an operation before anything is prepared.

    Raises:
        InvalidInput: It is malformed.
        Refused: It needs what the client hasn't allowed.
    """
    meta = op.meta
    if not meta.args or len(meta.args) > MAX_ARGUMENTS:
        raise InvalidInput("a step has no command, or too long a one", reference="bad-definition")
    if len(op.mounts) > MAX_MOUNTS or len(meta.extraHosts) > MAX_HOSTS:
        raise InvalidInput("a step has too many mounts or hosts", reference="bad-definition")
    if any("\0" in text for text in (*meta.args, *meta.env, meta.cwd, meta.user)):
        raise InvalidInput("a step's command or environment contains a zero byte", reference="bad-definition")
    if op.security == ops_pb2.INSECURE and "security.insecure" not in entitlements:
        raise Refused("security.insecure is not allowed", hint="docker buildx build --allow security.insecure")
    if op.network == ops_pb2.HOST and "network.host" not in entitlements:
        raise Refused("network.host is not allowed", hint="docker buildx build --allow network.host")
    for name in op.cdiDevices:
        if not name.optional:
            raise InvalidInput(f"a step asks for the device {name.name[:60]!r}: devices aren't served to builds")
    if not any(mount.dest == "/" for mount in op.mounts):
        raise InvalidInput("a step has no root file system", reference="bad-definition")


def record_of(op: ops_pb2.ExecOp, key: str, mounts: Sequence[StepMount], limits: HostConfig) -> ContainerRecord:
    """Return the step as a container's record, which exists only while it runs."""
    meta = op.meta
    network = {ops_pb2.NONE: "none", ops_pb2.HOST: "host"}.get(op.network, "bridge")
    shm = next((mount.size for mount in mounts if mount.target == "/dev/shm" and mount.size), 0)  # noqa: S108
    return ContainerRecord(
        id=key,
        name=f"build-{key[:12]}",
        created_ns=time.time_ns(),
        image_id="",
        image="",
        layers=[],
        config=ContainerConfig(
            hostname=meta.hostname or HOSTNAME,
            env=list(meta.env),
            cmd=list(meta.args),
            user=meta.user,
            working_dir=meta.cwd or "/",
        ),
        host=msgspec.structs.replace(
            limits,
            network_mode=network,
            privileged=op.security == ops_pb2.INSECURE,
            shm_size=shm or oci_spec.DEFAULT_SHM,
            cgroup_parent=meta.cgroupParent,
            ulimits=[Ulimit(name=limit.Name, soft=limit.Soft, hard=limit.Hard) for limit in meta.ulimit],
        ),
        mounts=[_mount(mount) for mount in mounts if mount.target != "/dev/shm"],  # noqa: S108
        step=True,
    )


def _mount(mount: StepMount) -> MountRecord:
    if not mount.source:
        size = [f"size={mount.size}"] if mount.size else []
        return MountRecord(kind="tmpfs", target=mount.target, options=["exec", *size])
    return MountRecord(
        kind="bind", target=mount.target, source=mount.source, read_only=mount.read_only, recursive=False
    )


def plan(
    op: ops_pb2.ExecOp, record: ContainerRecord, facts: oci_spec.SpecInputs, secrets: Mapping[str, str]
) -> PlannedSpec:
    """Return the OCI specification.

    Args:
        op: The operation.
        record: What `record_of` returned.
        facts: The host's inputs.
        secrets: Variables whose values the client keeps.
    """
    planned = oci_spec.plan(record, facts)
    planned["process"]["env"] = environment(op, facts.identity.home, secrets)
    return planned


def environment(op: ops_pb2.ExecOp, home: str, secrets: Mapping[str, str]) -> list[str]:
    """Return a step's environment: only what the operation says, the client's proxies, and HOME."""
    variables = list(op.meta.env)
    proxy = op.meta.proxy_env
    for name in ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"):
        value: str = getattr(proxy, name)
        if value:
            variables += [f"{name}={value}", f"{name.upper()}={value}"]
    variables += [f"{name}={value}" for name, value in secrets.items()]
    if not any(entry.startswith("HOME=") for entry in variables):
        variables.append(f"HOME={home}")
    return variables


def hosts_text(op: ops_pb2.ExecOp) -> str:
    """Return the content of a step's /etc/hosts."""
    lines = [
        f"127.0.0.1\tlocalhost {op.meta.hostname or HOSTNAME}",
        "::1\tlocalhost ip6-localhost ip6-loopback",
    ]
    for host in op.meta.extraHosts:
        if any(letter.isspace() for letter in host.Host + host.IP):
            raise InvalidInput(f"invalid host: {host.Host[:60]!r}")
        lines.append(f"{host.IP}\t{host.Host}")
    return "\n".join(lines) + "\n"
