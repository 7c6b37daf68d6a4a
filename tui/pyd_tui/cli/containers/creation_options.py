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
    """The image, and the command with its arguments."""
    return [
        click.Argument(["image"], type=ImageName(), metavar="IMAGE"),
        click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND] [ARGUMENT]..."),
    ]


def creation_options() -> list[click.Parameter]:
    """All options that say what a container is to be, those people use most first."""
    return [*_everyday(), *_network(), *_rights(), *_resources(), *_health(), *_rest()]


def _everyday() -> list[click.Parameter]:
    return [
        _flag("-i", "--interactive", help="Keep standard input open."),
        _flag("-t", "--tty", help="Give it a terminal."),
        _flag("--rm", "auto_remove", help="Remove it when it ends."),
        _text("--name", metavar="NAME", help="Its name."),
        _list("-e", "--env", metavar="NAME[=VALUE]", help="Set a variable, or pass ours on."),
        _list("--env-file", metavar="FILE", help="Set variables from a file."),
        _list("-v", "--volume", "volumes", metavar="SOURCE:TARGET[:ro]", help="Mount a volume or a path of the host."),
        _list("--mount", "mounts", metavar="FIELDS", help="Mount: type=bind,source=/a,target=/b,readonly."),
        _list("--tmpfs", metavar="TARGET[:OPTIONS]", help="Mount a temporary file system in memory."),
        _list("-p", "--publish", metavar="[HOST:]PORT", help="Publish a port to the host."),
        _flag("-P", "--publish-all", help="Publish all exposed ports on free ones of the host."),
        _text("-w", "--workdir", metavar="DIRECTORY", help="Run there."),
        _text("-u", "--user", metavar="USER[:GROUP]", help="Run as this user."),
        click.Option(["--entrypoint"], metavar="PROGRAM", help="In place of the image's; empty takes it away."),
        _text("-h", "--hostname", metavar="NAME", help="Its host name."),
        _list("-l", "--label", "labels", metavar="NAME[=VALUE]", help="Set a label."),
        _list("--label-file", metavar="FILE", help="Set labels from a file."),
        _text("--restart", metavar="POLICY", help="When it ends: no, on-failure[:N], always or unless-stopped."),
        _flag("--init", help="Run an init that forwards signals and reaps processes."),
        click.Option(
            ["--pull"],
            type=click.Choice(("missing", "always", "never")),
            default="missing",
            help="When to pull the image.",
        ),
        _text("--platform", metavar="OS/ARCHITECTURE", help="Which of the image's platforms."),
        _flag("-q", "--quiet", help="Print nothing while pulling."),
    ]


def _network() -> list[click.Parameter]:
    return [
        _list(
            "--network", "--net", "networks", metavar="NETWORK", help="Join a network, host, none or container:NAME."
        ),
        _list("--network-alias", "--net-alias", "aliases", metavar="NAME", help="Another name on the first network."),
        _text("--ip", metavar="ADDRESS", help="Its IPv4 address there."),
        _text("--ip6", metavar="ADDRESS", help="Its IPv6 address there."),
        _list("--link-local-ip", metavar="ADDRESS", help="A link-local address."),
        _text("--mac-address", metavar="ADDRESS", help="Its hardware address."),
        _list("--link", "links", metavar="CONTAINER[:ALIAS]", help="Know another container by name."),
        _list("--expose", metavar="PORT", help="Expose a port without publishing it."),
        _list("--add-host", metavar="HOST:ADDRESS", help="A line of /etc/hosts."),
        _list("--dns", metavar="ADDRESS", help="A name server."),
        _list("--dns-option", "--dns-opt", metavar="OPTION", help="An option of resolv.conf."),
        _list("--dns-search", metavar="DOMAIN", help="A domain to search names in."),
        _text("--domainname", metavar="NAME", help="Its NIS domain."),
    ]


def _rights() -> list[click.Parameter]:
    return [
        _flag("--privileged", help="With all capabilities and devices."),
        _flag("--read-only", help="Mount its root file system read-only."),
        _list("--cap-add", metavar="CAPABILITY", help="Add a capability, or ALL."),
        _list("--cap-drop", metavar="CAPABILITY", help="Take a capability away, or ALL."),
        _list("--security-opt", metavar="NAME[=VALUE]", help="seccomp=FILE, apparmor=NAME, no-new-privileges …"),
        _list("--group-add", metavar="GROUP", help="Another group of its user."),
        _list("--device", "devices", metavar="DEVICE", help="A device of the host: /dev/a[:/dev/b][:rwm]."),
        _list("--device-cgroup-rule", metavar="RULE", help="Allow devices: 'c 13:* rwm'."),
        _text("--gpus", metavar="GPUS", help="GPUs: all, a number, or device=0,1."),
        _text("--ipc", metavar="MODE", help="IPC namespace: private, shareable, host, container:NAME."),
        _text("--pid", metavar="MODE", help="Process namespace: host, container:NAME."),
        _text("--uts", metavar="MODE", help="Host name namespace: host."),
        _text("--userns", metavar="MODE", help="User namespace: host."),
        _text("--cgroupns", metavar="MODE", help="Cgroup namespace: private or host."),
        _text("--cgroup-parent", metavar="PATH", help="The cgroup above its own."),
        _text("--runtime", metavar="NAME", help="The OCI runtime."),
        _list("--sysctl", "sysctls", metavar="NAME=VALUE", help="A kernel parameter of its namespaces."),
        _list("--annotation", "annotations", metavar="NAME=VALUE", help="An annotation for the OCI runtime."),
    ]


def _resources() -> list[click.Parameter]:
    return [
        _text("-m", "--memory", metavar="BYTES", help="Most memory, such as 512m."),
        _text("--memory-swap", metavar="BYTES", help="Most memory and swap together; -1 is no limit."),
        _text("--memory-reservation", metavar="BYTES", help="Memory it keeps when there is little."),
        click.Option(["--memory-swappiness"], type=int, metavar="0-100", help="How gladly it swaps."),
        _text("--cpus", metavar="NUMBER", help="Most processors, such as 1.5."),
        _count("-c", "--cpu-shares", help="Its share of the processors."),
        _count("--cpu-period", help="The scheduler's period, microseconds."),
        _count("--cpu-quota", help="Its time in a period, microseconds."),
        _count("--cpu-rt-period", help="The same for real-time processes."),
        _count("--cpu-rt-runtime", help="Their time in a period."),
        _text("--cpuset-cpus", metavar="LIST", help="Which processors: 0-3, 0,1."),
        _text("--cpuset-mems", metavar="LIST", help="Which memory nodes."),
        click.Option(["--pids-limit"], type=int, metavar="N", help="Most processes; -1 is no limit."),
        _list("--ulimit", "ulimits", metavar="NAME=SOFT[:HARD]", help="A limit of its processes: nofile=1024."),
        _text("--shm-size", metavar="BYTES", help="Size of /dev/shm."),
        _count("--blkio-weight", help="Its share of block I/O, 10 to 1000."),
        _list("--blkio-weight-device", metavar="DEVICE:WEIGHT", help="The same for a device."),
        _list("--device-read-bps", metavar="DEVICE:BYTES", help="Most bytes a second read from a device."),
        _list("--device-write-bps", metavar="DEVICE:BYTES", help="Most bytes a second written to it."),
        _list("--device-read-iops", metavar="DEVICE:N", help="Most reads a second."),
        _list("--device-write-iops", metavar="DEVICE:N", help="Most writes a second."),
        _flag("--oom-kill-disable", help="Don't kill it for want of memory."),
        _count("--oom-score-adj", help="How readily the host kills it, -1000 to 1000."),
        _list("--storage-opt", metavar="NAME=VALUE", help="An option of the storage driver: size=10G."),
    ]


def _health() -> list[click.Parameter]:
    return [
        _text("--health-cmd", metavar="COMMAND", help="How to probe its health."),
        _text("--health-interval", metavar="TIME", help="Time between probes, such as 30s."),
        _text("--health-timeout", metavar="TIME", help="Time a probe may take."),
        _count("--health-retries", help="Failures in a row until it is unhealthy."),
        _text("--health-start-period", metavar="TIME", help="Time in which failures don't count."),
        _text("--health-start-interval", metavar="TIME", help="Time between probes in it."),
        _flag("--no-healthcheck", help="Not even the image's."),
    ]


def _rest() -> list[click.Parameter]:
    return [
        _text("--log-driver", metavar="NAME", help="Where its output goes."),
        _list("--log-opt", metavar="NAME=VALUE", help="An option of that."),
        _text("--stop-signal", metavar="SIGNAL", help="The signal that stops it."),
        click.Option(["--stop-timeout"], type=int, metavar="SECONDS", help="Grace until it is killed."),
        click.Option(
            ["--volumes-from"], multiple=True, type=ContainerName(), metavar="CONTAINER", help="Mount its volumes too."
        ),
        _text("--volume-driver", metavar="NAME", help="The driver of volumes given with -v."),
        _text("--cidfile", metavar="FILE", help="Write its id there."),
        click.Option(
            ["-a", "--attach"],
            multiple=True,
            type=click.Choice(("stdin", "stdout", "stderr"), case_sensitive=False),
            help="Attach only to this.",
        ),
        _text("--isolation", metavar="NAME", help="Isolation technology, on Windows."),
        _hidden("--disable-content-trust", is_flag=True, expose_value=False, help="Done without anyhow."),
        _hidden("--kernel-memory", expose_value=False, help="No kernel has it any more."),
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
