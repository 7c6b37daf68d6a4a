"""The create request for the options of `create` and `run`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pyd_core.cliparse.devices import cdi_request, parse_devices, parse_gpus, parse_rates, parse_weights
from pyd_core.cliparse.fields import parse_pairs
from pyd_core.cliparse.limits import parse_cpus, parse_restart, parse_ulimits
from pyd_core.cliparse.mounts import parse_mounts, parse_tmpfs, parse_volumes
from pyd_core.cliparse.networks import FirstNetwork, parse_networks
from pyd_core.cliparse.ports import parse_exposed, parse_published
from pyd_core.cliparse.security import parse_security
from pyd_core.cliparse.variables import parse_labels, parse_variables
from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.durations import parse_duration
from pyd_core.gosyntax.sizes import parse_size
from pyd_core.model.container_config import ContainerConfig, HealthConfig
from pyd_core.model.creation import CreateBody, NetworkingConfig
from pyd_core.model.host_config import HostConfig, LogConfig
from pyd_core.model.resources import DeviceRequest
from pyd_tui.cli.containers.creation_options import CreateOptions


def create_body(options: CreateOptions, environ: Mapping[str, str] = os.environ) -> CreateBody:
    """Return the body of `POST /containers/create`.

    Raises:
        InvalidInput: An option is malformed, or two contradict each other.
        NotFound: A file doesn't exist.
    """
    network_mode, endpoints = parse_networks(
        options.networks,
        FirstNetwork(
            aliases=options.aliases,
            links=options.links,
            ip=options.ip,
            ip6=options.ip6,
            link_local=options.link_local_ip,
            mac=options.mac_address,
        ),
    )
    binds, anonymous = parse_volumes(options.volumes)
    config = _config(options, anonymous, environ)
    host = _host_config(options, binds, network_mode)
    return CreateBody(
        **{name: getattr(config, name) for name in config.__struct_fields__},
        host_config=host,
        networking_config=NetworkingConfig(endpoints_config=endpoints),
    )


def _config(
    options: CreateOptions, anonymous: dict[str, dict[str, str]], environ: Mapping[str, str]
) -> ContainerConfig:
    ports = [*parse_exposed(options.expose), *parse_published(options.publish)]
    streams = options.attach
    entrypoint = options.entrypoint
    attach_stdin = "stdin" in streams if streams else options.interactive
    return ContainerConfig(
        hostname=options.hostname,
        domainname=options.domainname,
        user=options.user,
        attach_stdin=attach_stdin,
        attach_stdout="stdout" in streams if streams else True,
        attach_stderr="stderr" in streams if streams else True,
        exposed_ports={port: {} for port in ports},
        tty=options.tty,
        open_stdin=options.interactive,
        stdin_once=options.interactive and attach_stdin,
        env=parse_variables(options.env, options.env_file, environ),
        cmd=list(options.command) or None,
        healthcheck=_health(options),
        image=options.image,
        volumes=anonymous,
        working_dir=options.workdir,
        entrypoint=None if entrypoint is None else [entrypoint],
        labels=parse_labels(options.labels, options.label_file),
        stop_signal=options.stop_signal or None,
        stop_timeout=options.stop_timeout,
    )


def _health(options: CreateOptions) -> HealthConfig | None:
    times = {
        "interval": options.health_interval,
        "timeout": options.health_timeout,
        "start_period": options.health_start_period,
        "start_interval": options.health_start_interval,
    }
    has_probe = bool(options.health_cmd or options.health_retries or any(times.values()))
    if options.no_healthcheck:
        if has_probe:
            raise InvalidInput("--no-healthcheck conflicts with --health-* options")
        return HealthConfig(test=["NONE"])
    if not has_probe:
        return None
    return HealthConfig(
        test=["CMD-SHELL", options.health_cmd] if options.health_cmd else [],
        retries=options.health_retries,
        **{name: parse_duration(text) if text else 0 for name, text in times.items()},
    )


def _host_config(options: CreateOptions, binds: list[str], network_mode: str) -> HostConfig:
    restart = parse_restart(options.restart)
    if options.auto_remove and restart.name not in {"", "no"}:
        raise InvalidInput("--rm and --restart can't be combined")
    if options.log_opt and options.log_driver == "none":
        raise InvalidInput("--log-opt can't be combined with the log driver none")
    security, open_paths = parse_security(options.security_opt)
    return HostConfig(
        **_resources(options),
        binds=binds,
        container_id_file=options.cidfile,
        oom_score_adj=options.oom_score_adj,
        auto_remove=options.auto_remove,
        privileged=options.privileged,
        port_bindings=parse_published(options.publish),
        links=list(options.links),
        publish_all_ports=options.publish_all,
        dns=list(options.dns),
        dns_search=list(options.dns_search),
        dns_options=list(options.dns_option),
        extra_hosts=[_host(text) for text in options.add_host],
        volumes_from=list(options.volumes_from),
        ipc_mode=options.ipc,
        network_mode=network_mode,
        pid_mode=options.pid,
        uts_mode=options.uts,
        userns_mode=options.userns,
        cgroupns_mode=options.cgroupns,
        cap_add=list(options.cap_add),
        cap_drop=list(options.cap_drop),
        group_add=list(options.group_add),
        restart_policy=restart,
        security_opt=security,
        storage_opt=parse_pairs(options.storage_opt),
        readonly_rootfs=options.read_only,
        log_config=LogConfig(type=options.log_driver, config=parse_pairs(options.log_opt)),
        volume_driver=options.volume_driver,
        isolation=options.isolation,
        shm_size=_size(options.shm_size),
        tmpfs=parse_tmpfs(options.tmpfs),
        sysctls=parse_pairs(options.sysctls),
        runtime=options.runtime,
        mounts=parse_mounts(options.mounts),
        masked_paths=[] if open_paths else None,
        readonly_paths=[] if open_paths else None,
        annotations=parse_pairs(options.annotations),
        init=options.init or None,
    )


def _resources(options: CreateOptions) -> dict[str, Any]:
    """Return the fields of `Resources`."""
    devices, cdi_names = parse_devices(options.devices)
    requests: list[DeviceRequest] = [parse_gpus(options.gpus)] if options.gpus else []
    if cdi_names:
        requests.append(cdi_request(cdi_names))
    return {
        "cgroup_parent": options.cgroup_parent,
        "memory": _size(options.memory),
        "memory_reservation": _size(options.memory_reservation),
        "memory_swap": _size(options.memory_swap, unlimited=True),
        "memory_swappiness": options.memory_swappiness,
        "oom_kill_disable": options.oom_kill_disable,
        "nano_cpus": parse_cpus(options.cpus) if options.cpus else 0,
        "cpu_period": options.cpu_period,
        "cpu_quota": options.cpu_quota,
        "cpu_realtime_period": options.cpu_rt_period,
        "cpu_realtime_runtime": options.cpu_rt_runtime,
        "cpu_shares": options.cpu_shares,
        "cpuset_cpus": options.cpuset_cpus,
        "cpuset_mems": options.cpuset_mems,
        "pids_limit": options.pids_limit,
        "blkio_weight": options.blkio_weight,
        "blkio_weight_device": parse_weights(options.blkio_weight_device),
        "blkio_device_read_bps": parse_rates(options.device_read_bps, bytes=True),
        "blkio_device_write_bps": parse_rates(options.device_write_bps, bytes=True),
        "blkio_device_read_iops": parse_rates(options.device_read_iops, bytes=False),
        "blkio_device_write_iops": parse_rates(options.device_write_iops, bytes=False),
        "ulimits": parse_ulimits(options.ulimits),
        "devices": devices,
        "device_cgroup_rules": list(options.device_cgroup_rule),
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
    """Return the request for a container that no client attaches to."""
    return msgspec.structs.replace(body, attach_stdin=False, attach_stdout=False, attach_stderr=False, stdin_once=False)


def attached_streams(body: CreateBody) -> Sequence[str]:
    """Return the streams that the client attaches to, of `stdin`, `stdout` and `stderr`."""
    streams = {"stdin": body.attach_stdin, "stdout": body.attach_stdout, "stderr": body.attach_stderr}
    return [name for name, attached in streams.items() if attached]
