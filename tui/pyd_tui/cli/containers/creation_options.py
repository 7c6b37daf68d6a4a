"""The options of `create` and `run`, named as in the docker CLI, and their values."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from pyd_tui.cli.objects.names import ContainerName, ImageName


def _text(*names: str, help: str, metavar: str = "TEXT") -> click.Option:
    return click.Option([*names], default="", metavar=metavar, help=help, show_default=False)


def _list(*names: str, help: str, metavar: str = "TEXT") -> click.Option:
    return click.Option([*names], multiple=True, metavar=metavar, help=help)


def _flag(*names: str, help: str) -> click.Option:
    return click.Option([*names], is_flag=True, help=help)


def _count(*names: str, help: str) -> click.Option:
    return click.Option([*names], type=int, default=0, metavar="N", help=help, show_default=False)


def _hidden(*names: str, **more: Any) -> click.Option:
    return click.Option([*names], hidden=True, **more)


def image_arguments() -> list[click.Parameter]:
    """Return the arguments: the image, and the command with its own."""
    return [
        click.Argument(["image"], type=ImageName(), metavar="IMAGE"),
        click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND] [ARGUMENT]..."),
    ]


def creation_options() -> list[click.Parameter]:
    """Return all options that define a container, common ones first."""
    return [*_everyday(), *_network(), *_rights(), *_resources(), *_health(), *_rest()]


def _everyday() -> list[click.Parameter]:
    return [
        _flag("-i", "--interactive", help="Keep standard input open."),
        _flag("-t", "--tty", help="Allocate a terminal."),
        _flag("--rm", "auto_remove", help="Remove the container when it exits."),
        _text("--name", metavar="NAME", help="Name of the container."),
        _list("-e", "--env", metavar="NAME[=VALUE]", help="Set a variable, or pass on the current one."),
        _list("--env-file", metavar="FILE", help="Read variables from a file."),
        _list("-v", "--volume", "volumes", metavar="SOURCE:TARGET[:ro]", help="Mount a volume or a host path."),
        _list("--mount", "mounts", metavar="FIELDS", help="Attach a mount: type=bind,source=/a,target=/b,readonly."),
        _list("--tmpfs", metavar="TARGET[:OPTIONS]", help="Mount a tmpfs."),
        _list("-p", "--publish", metavar="[HOST:]PORT", help="Publish a port on the host."),
        _flag("-P", "--publish-all", help="Publish all exposed ports on random host ports."),
        _text("-w", "--workdir", metavar="DIRECTORY", help="Working directory."),
        _text("-u", "--user", metavar="USER[:GROUP]", help="User to run as."),
        click.Option(
            ["--entrypoint"], metavar="PROGRAM", help="Override the entrypoint of the image; empty removes it."
        ),
        _text("-h", "--hostname", metavar="NAME", help="Host name of the container."),
        _list("-l", "--label", "labels", metavar="NAME[=VALUE]", help="Set a label."),
        _list("--label-file", metavar="FILE", help="Read labels from a file."),
        _text("--restart", metavar="POLICY", help="Restart policy: no, on-failure[:N], always or unless-stopped."),
        _flag("--init", help="Run an init that forwards signals and reaps processes."),
        click.Option(
            ["--pull"],
            type=click.Choice(("missing", "always", "never")),
            default="missing",
            help="When to pull the image.",
        ),
        _text("--platform", metavar="OS/ARCHITECTURE", help="Platform of the image."),
        _flag("-q", "--quiet", help="Suppress pull output."),
    ]


def _network() -> list[click.Parameter]:
    return [
        _list(
            "--network",
            "--net",
            "networks",
            metavar="NETWORK",
            help="Network to connect to, or host, none or container:NAME.",
        ),
        _list("--network-alias", "--net-alias", "aliases", metavar="NAME", help="Alias on the first network."),
        _text("--ip", metavar="ADDRESS", help="IPv4 address on the first network."),
        _text("--ip6", metavar="ADDRESS", help="IPv6 address on the first network."),
        _list("--link-local-ip", metavar="ADDRESS", help="Link-local address."),
        _text("--mac-address", metavar="ADDRESS", help="MAC address."),
        _list("--link", "links", metavar="CONTAINER[:ALIAS]", help="Link to another container."),
        _list("--expose", metavar="PORT", help="Expose a port without publishing it."),
        _list("--add-host", metavar="HOST:ADDRESS", help="Add an entry to /etc/hosts."),
        _list("--dns", metavar="ADDRESS", help="DNS server."),
        _list("--dns-option", "--dns-opt", metavar="OPTION", help="DNS option."),
        _list("--dns-search", metavar="DOMAIN", help="DNS search domain."),
        _text("--domainname", metavar="NAME", help="NIS domain name."),
    ]


def _rights() -> list[click.Parameter]:
    return [
        _flag("--privileged", help="Grant all capabilities and devices."),
        _flag("--read-only", help="Mount the root file system read-only."),
        _list("--cap-add", metavar="CAPABILITY", help="Add a capability, or ALL."),
        _list("--cap-drop", metavar="CAPABILITY", help="Drop a capability, or ALL."),
        _list(
            "--security-opt",
            metavar="NAME[=VALUE]",
            help="Security option: seccomp=FILE, apparmor=NAME, no-new-privileges …",
        ),
        _list("--group-add", metavar="GROUP", help="Additional group of the user."),
        _list("--device", "devices", metavar="DEVICE", help="Host device to add: /dev/a[:/dev/b][:rwm]."),
        _list("--device-cgroup-rule", metavar="RULE", help="Device cgroup rule: 'c 13:* rwm'."),
        _text("--gpus", metavar="GPUS", help="GPUs to add: all, a number, or device=0,1."),
        _text("--ipc", metavar="MODE", help="IPC namespace: private, shareable, host, container:NAME."),
        _text("--pid", metavar="MODE", help="PID namespace: host, container:NAME."),
        _text("--uts", metavar="MODE", help="UTS namespace: host."),
        _text("--userns", metavar="MODE", help="User namespace: host."),
        _text("--cgroupns", metavar="MODE", help="Cgroup namespace: private or host."),
        _text("--cgroup-parent", metavar="PATH", help="Parent cgroup."),
        _text("--runtime", metavar="NAME", help="OCI runtime."),
        _list("--sysctl", "sysctls", metavar="NAME=VALUE", help="Namespaced kernel parameter."),
        _list("--annotation", "annotations", metavar="NAME=VALUE", help="Annotation for the OCI runtime."),
    ]


def _resources() -> list[click.Parameter]:
    return [
        _text("-m", "--memory", metavar="BYTES", help="Memory limit, such as 512m."),
        _text("--memory-swap", metavar="BYTES", help="Limit of memory plus swap; -1 is unlimited."),
        _text("--memory-reservation", metavar="BYTES", help="Memory soft limit."),
        click.Option(["--memory-swappiness"], type=int, metavar="0-100", help="Swappiness."),
        _text("--cpus", metavar="NUMBER", help="Number of CPUs, such as 1.5."),
        _count("-c", "--cpu-shares", help="CPU shares (relative weight)."),
        _count("--cpu-period", help="CPU scheduler period, in microseconds."),
        _count("--cpu-quota", help="CPU time per period, in microseconds."),
        _count("--cpu-rt-period", help="Real-time scheduler period, in microseconds."),
        _count("--cpu-rt-runtime", help="Real-time CPU time per period, in microseconds."),
        _text("--cpuset-cpus", metavar="LIST", help="CPUs to run on: 0-3, 0,1."),
        _text("--cpuset-mems", metavar="LIST", help="Memory nodes to use."),
        click.Option(["--pids-limit"], type=int, metavar="N", help="Limit of processes; -1 is unlimited."),
        _list("--ulimit", "ulimits", metavar="NAME=SOFT[:HARD]", help="Ulimit of its processes: nofile=1024."),
        _text("--shm-size", metavar="BYTES", help="Size of /dev/shm."),
        _count("--blkio-weight", help="Block I/O weight, 10 to 1000."),
        _list("--blkio-weight-device", metavar="DEVICE:WEIGHT", help="Block I/O weight of a device."),
        _list("--device-read-bps", metavar="DEVICE:BYTES", help="Read rate limit of a device, in bytes per second."),
        _list("--device-write-bps", metavar="DEVICE:BYTES", help="Write rate limit of a device, in bytes per second."),
        _list("--device-read-iops", metavar="DEVICE:N", help="Read limit of a device, in operations per second."),
        _list("--device-write-iops", metavar="DEVICE:N", help="Write limit of a device, in operations per second."),
        _flag("--oom-kill-disable", help="Disable the OOM killer."),
        _count("--oom-score-adj", help="OOM score adjustment, -1000 to 1000."),
        _list("--storage-opt", metavar="NAME=VALUE", help="Storage driver option: size=10G."),
    ]


def _health() -> list[click.Parameter]:
    return [
        _text("--health-cmd", metavar="COMMAND", help="Command to check health."),
        _text("--health-interval", metavar="TIME", help="Time between checks, such as 30s."),
        _text("--health-timeout", metavar="TIME", help="Maximum time of a check."),
        _count("--health-retries", help="Consecutive failures that make it unhealthy."),
        _text("--health-start-period", metavar="TIME", help="Start period in which failures don't count."),
        _text("--health-start-interval", metavar="TIME", help="Time between checks during the start period."),
        _flag("--no-healthcheck", help="Disable the health check of the image."),
    ]


def _rest() -> list[click.Parameter]:
    return [
        _text("--log-driver", metavar="NAME", help="Logging driver."),
        _list("--log-opt", metavar="NAME=VALUE", help="Logging driver option."),
        _text("--stop-signal", metavar="SIGNAL", help="Signal to stop the container."),
        click.Option(["--stop-timeout"], type=int, metavar="SECONDS", help="Seconds to wait before it is killed."),
        click.Option(
            ["--volumes-from"],
            multiple=True,
            type=ContainerName(),
            metavar="CONTAINER",
            help="Mount the volumes of another container.",
        ),
        _text("--volume-driver", metavar="NAME", help="Driver of volumes given with -v."),
        _text("--cidfile", metavar="FILE", help="Write the container id to a file."),
        click.Option(
            ["-a", "--attach"],
            multiple=True,
            type=click.Choice(("stdin", "stdout", "stderr"), case_sensitive=False),
            help="Stream to attach.",
        ),
        _text("--isolation", metavar="NAME", help="Isolation technology, on Windows."),
        _hidden("--disable-content-trust", is_flag=True, expose_value=False, help="No effect."),
        _hidden("--kernel-memory", expose_value=False, help="No effect: kernels no longer support it."),
    ]


class CreateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `create`, named as `creation_options` names them; empty ones are left to the engine."""

    image: str
    interactive: bool = False
    tty: bool = False
    auto_remove: bool = False
    name: str = ""
    env: tuple[str, ...] = ()
    env_file: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    publish_all: bool = False
    workdir: str = ""
    user: str = ""
    entrypoint: str | None = None
    hostname: str = ""
    labels: tuple[str, ...] = ()
    label_file: tuple[str, ...] = ()
    restart: str = ""
    init: bool = False
    pull: str = "missing"
    platform: str = ""
    quiet: bool = False
    networks: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ip: str = ""
    ip6: str = ""
    link_local_ip: tuple[str, ...] = ()
    mac_address: str = ""
    links: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    add_host: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    dns_option: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    domainname: str = ""
    privileged: bool = False
    read_only: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    group_add: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    device_cgroup_rule: tuple[str, ...] = ()
    gpus: str = ""
    ipc: str = ""
    pid: str = ""
    uts: str = ""
    userns: str = ""
    cgroupns: str = ""
    cgroup_parent: str = ""
    runtime: str = ""
    sysctls: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    memory: str = ""
    memory_swap: str = ""
    memory_reservation: str = ""
    memory_swappiness: int | None = None
    cpus: str = ""
    cpu_shares: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_rt_period: int = 0
    cpu_rt_runtime: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    pids_limit: int | None = None
    ulimits: tuple[str, ...] = ()
    shm_size: str = ""
    blkio_weight: int = 0
    blkio_weight_device: tuple[str, ...] = ()
    device_read_bps: tuple[str, ...] = ()
    device_write_bps: tuple[str, ...] = ()
    device_read_iops: tuple[str, ...] = ()
    device_write_iops: tuple[str, ...] = ()
    oom_kill_disable: bool = False
    oom_score_adj: int = 0
    storage_opt: tuple[str, ...] = ()
    health_cmd: str = ""
    health_interval: str = ""
    health_timeout: str = ""
    health_retries: int = 0
    health_start_period: str = ""
    health_start_interval: str = ""
    no_healthcheck: bool = False
    log_driver: str = ""
    log_opt: tuple[str, ...] = ()
    stop_signal: str = ""
    stop_timeout: int | None = None
    volumes_from: tuple[str, ...] = ()
    volume_driver: str = ""
    cidfile: str = ""
    attach: tuple[str, ...] = ()
    isolation: str = ""
    command: tuple[str, ...] = ()


class RunOptions(CreateOptions, frozen=True, kw_only=True):
    """The options of `run`: those of `create`, and how to attach."""

    detach: bool = False
    detach_keys: str = ""
    sig_proxy: bool = True
