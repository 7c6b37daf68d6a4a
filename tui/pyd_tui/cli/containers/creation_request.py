"""From the options of `create` and `run` to the request."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pyd_core.cliparse.devices import cdi_request, parse_devices, parse_gpus, parse_rates, parse_weights
from pyd_core.cliparse.durations import parse_duration
from pyd_core.cliparse.fields import parse_pairs
from pyd_core.cliparse.limits import parse_cpus, parse_restart, parse_ulimits
from pyd_core.cliparse.mounts import parse_mounts, parse_tmpfs, parse_volumes
from pyd_core.cliparse.networks import FirstNetwork, parse_networks
from pyd_core.cliparse.ports import parse_exposed, parse_published
from pyd_core.cliparse.security import parse_security
from pyd_core.cliparse.sizes import parse_size
from pyd_core.cliparse.variables import parse_labels, parse_variables
from pyd_core.errors import InvalidInput
from pyd_core.model.container_config import ContainerConfig, HealthConfig
from pyd_core.model.creation import CreateBody, NetworkingConfig
from pyd_core.model.host_config import HostConfig, LogConfig
from pyd_core.model.resources import DeviceRequest

Given = Mapping[str, Any]
"""Values by option, named as `creation_options` names them."""


def create_body(given: Given, environ: Mapping[str, str] = os.environ) -> CreateBody:
    """Returns the body of `POST /containers/create` for the options given.

    Raises:
        InvalidInput: One can't be read, or two don't go together.
        NotFound: A file isn't there.
    """
    network_mode, endpoints = parse_networks(
        given["networks"],
        FirstNetwork(
            aliases=given["aliases"],
            links=given["links"],
            ip=given["ip"],
            ip6=given["ip6"],
            link_local=given["link_local_ip"],
            mac=given["mac_address"],
        ),
    )
    binds, anonymous = parse_volumes(given["volumes"])
    config = _config(given, anonymous, environ)
    host = _host_config(given, binds, network_mode)
    return CreateBody(
        **{name: getattr(config, name) for name in config.__struct_fields__},
        host_config=host,
        networking_config=NetworkingConfig(endpoints_config=endpoints),
    )


def _config(given: Given, anonymous: dict[str, dict[str, str]], environ: Mapping[str, str]) -> ContainerConfig:
    ports = [*parse_exposed(given["expose"]), *parse_published(given["publish"])]
    chosen = given["attach"]
    entrypoint = given["entrypoint"]
    attach_stdin = "stdin" in chosen if chosen else given["interactive"]
    return ContainerConfig(
        hostname=given["hostname"],
        domainname=given["domainname"],
        user=given["user"],
        attach_stdin=attach_stdin,
        attach_stdout="stdout" in chosen if chosen else True,
        attach_stderr="stderr" in chosen if chosen else True,
        exposed_ports={port: {} for port in ports},
        tty=given["tty"],
        open_stdin=given["interactive"],
        stdin_once=given["interactive"] and attach_stdin,
        env=parse_variables(given["env"], given["env_file"], environ),
        cmd=list(given["command"]) or None,
        healthcheck=_health(given),
        image=given["image"],
        volumes=anonymous,
        working_dir=given["workdir"],
        entrypoint=None if entrypoint is None else [entrypoint],
        labels=parse_labels(given["labels"], given["label_file"]),
        stop_signal=given["stop_signal"] or None,
        stop_timeout=given["stop_timeout"],
    )


def _health(given: Given) -> HealthConfig | None:
    names = ("cmd", "interval", "timeout", "retries", "start_period", "start_interval")
    if given["no_healthcheck"]:
        if any(given[f"health_{name}"] for name in names):
            raise InvalidInput("--no-healthcheck conflicts with --health-* options")
        return HealthConfig(test=["NONE"])
    if not any(given[f"health_{name}"] for name in names):
        return None
    times = {
        name: parse_duration(given[f"health_{name}"]) if given[f"health_{name}"] else 0
        for name in ("interval", "timeout", "start_period", "start_interval")
    }
    test = ["CMD-SHELL", given["health_cmd"]] if given["health_cmd"] else []
    return HealthConfig(test=test, retries=given["health_retries"], **times)


def _host_config(given: Given, binds: list[str], network_mode: str) -> HostConfig:
    restart = parse_restart(given["restart"])
    if given["auto_remove"] and restart.name not in {"", "no"}:
        raise InvalidInput("--rm and --restart don't go together")
    if given["log_opt"] and given["log_driver"] == "none":
        raise InvalidInput("--log-opt makes no sense with the log driver none")
    security, open_paths = parse_security(given["security_opt"])
    return HostConfig(
        **_resources(given),
        binds=binds,
        container_id_file=given["cidfile"],
        oom_score_adj=given["oom_score_adj"],
        auto_remove=given["auto_remove"],
        privileged=given["privileged"],
        port_bindings=parse_published(given["publish"]),
        links=list(given["links"]),
        publish_all_ports=given["publish_all"],
        dns=list(given["dns"]),
        dns_search=list(given["dns_search"]),
        dns_options=list(given["dns_option"]),
        extra_hosts=[_host(text) for text in given["add_host"]],
        volumes_from=list(given["volumes_from"]),
        ipc_mode=given["ipc"],
        network_mode=network_mode,
        pid_mode=given["pid"],
        uts_mode=given["uts"],
        userns_mode=given["userns"],
        cgroupns_mode=given["cgroupns"],
        cap_add=list(given["cap_add"]),
        cap_drop=list(given["cap_drop"]),
        group_add=list(given["group_add"]),
        restart_policy=restart,
        security_opt=security,
        storage_opt=parse_pairs(given["storage_opt"]),
        readonly_rootfs=given["read_only"],
        log_config=LogConfig(type=given["log_driver"], config=parse_pairs(given["log_opt"])),
        volume_driver=given["volume_driver"],
        isolation=given["isolation"],
        shm_size=_size(given["shm_size"]),
        tmpfs=parse_tmpfs(given["tmpfs"]),
        sysctls=parse_pairs(given["sysctls"]),
        runtime=given["runtime"],
        mounts=parse_mounts(given["mounts"]),
        masked_paths=[] if open_paths else None,
        readonly_paths=[] if open_paths else None,
        annotations=parse_pairs(given["annotations"]),
        init=given["init"] or None,
    )


def _resources(given: Given) -> dict[str, Any]:
    """The fields of `Resources`."""
    devices, named = parse_devices(given["devices"])
    requests: list[DeviceRequest] = [parse_gpus(given["gpus"])] if given["gpus"] else []
    if named:
        requests.append(cdi_request(named))
    return {
        "cgroup_parent": given["cgroup_parent"],
        "memory": _size(given["memory"]),
        "memory_reservation": _size(given["memory_reservation"]),
        "memory_swap": _size(given["memory_swap"], unlimited=True),
        "memory_swappiness": given["memory_swappiness"],
        "oom_kill_disable": given["oom_kill_disable"],
        "nano_cpus": parse_cpus(given["cpus"]) if given["cpus"] else 0,
        "cpu_period": given["cpu_period"],
        "cpu_quota": given["cpu_quota"],
        "cpu_realtime_period": given["cpu_rt_period"],
        "cpu_realtime_runtime": given["cpu_rt_runtime"],
        "cpu_shares": given["cpu_shares"],
        "cpuset_cpus": given["cpuset_cpus"],
        "cpuset_mems": given["cpuset_mems"],
        "pids_limit": given["pids_limit"],
        "blkio_weight": given["blkio_weight"],
        "blkio_weight_device": parse_weights(given["blkio_weight_device"]),
        "blkio_device_read_bps": parse_rates(given["device_read_bps"], bytes=True),
        "blkio_device_write_bps": parse_rates(given["device_write_bps"], bytes=True),
        "blkio_device_read_iops": parse_rates(given["device_read_iops"], bytes=False),
        "blkio_device_write_iops": parse_rates(given["device_write_iops"], bytes=False),
        "ulimits": parse_ulimits(given["ulimits"]),
        "devices": devices,
        "device_cgroup_rules": list(given["device_cgroup_rule"]),
        "device_requests": requests,
    }


def _size(text: str, *, unlimited: bool = False) -> int:
    return parse_size(text, unlimited=unlimited) if text else 0


def _host(text: str) -> str:
    name, separator, address = text.partition("=" if "=" in text else ":")
    if not separator or not name or not address:
        raise InvalidInput(f"bad format for add-host: {text!r}", hint="write HOST:ADDRESS")
    return f"{name}:{address.removeprefix('[').removesuffix(']')}"


def detached(body: CreateBody) -> CreateBody:
    """Returns the request for a container that nobody attaches to."""
    return msgspec.structs.replace(body, attach_stdin=False, attach_stdout=False, attach_stderr=False, stdin_once=False)


def attached_streams(body: CreateBody) -> Sequence[str]:
    """Returns which of `stdin`, `stdout` and `stderr` the client takes part in."""
    streams = {"stdin": body.attach_stdin, "stdout": body.attach_stdout, "stderr": body.attach_stderr}
    return [name for name, there in streams.items() if there]
