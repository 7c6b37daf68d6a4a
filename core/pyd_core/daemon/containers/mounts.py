"""The mounts of a creation: `-v`, `--mount`, `--tmpfs`, `--volumes-from` and the image's volumes."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from pyd_core.daemon.containers import mount_rules
from pyd_core.daemon.containers.mount_rules import target as _target
from pyd_core.daemon.containers.propagation import MODES
from pyd_core.daemon.containers.record import MountRecord
from pyd_core.daemon.volumes import VolumeStore
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.host_config import BindOptions, HostConfig, MountConfig

_HELD = ((os.ST_RDONLY, "ro"), (os.ST_NOSUID, "nosuid"), (os.ST_NODEV, "nodev"), (os.ST_NOEXEC, "noexec"))


def plan(
    config: ContainerConfig,
    host: HostConfig,
    volumes: VolumeStore,
    others: Callable[[str], list[MountRecord]],
    *,
    root: Path,
) -> list[MountRecord]:
    """Resolve every mount, creating missing volumes.

    Args:
        config: Image and creation merged.
        host: The host configuration.
        volumes: The engine's volumes.
        others: Returns the mounts of another container, for `--volumes-from`.
        root: The engine's own directory.

    Raises:
        InvalidInput: One makes no sense, or two have the same target.
    """
    records: dict[str, MountRecord] = {}
    try:
        _fill(records, config, host, volumes, others, root=root)
    except Exception:
        for record in records.values():
            if record.anonymous:  # nothing else would refer to it
                volumes.discard_new(volumes.find(record.volume))
        raise
    return list(records.values())


def _fill(
    records: dict[str, MountRecord],
    config: ContainerConfig,
    host: HostConfig,
    volumes: VolumeStore,
    others: Callable[[str], list[MountRecord]],
    *,
    root: Path,
) -> None:
    targets: set[str] = set()
    for entry in host.volumes_from:
        name, _, mode = entry.partition(":")
        mount_rules.words_of_others(mode)
        for record in others(name):
            if record.kind != "tmpfs":
                records[record.target] = _narrowed(record, mode)
    for requested in host.mounts:
        mount_rules.check(requested)
    for text in host.binds:
        _take(_passed_on(_bind(text, volumes, host.volume_driver), root), records, targets)
    for requested in host.mounts:
        _take(_passed_on(_mount(requested, volumes), root), records, targets)
    for target, options in host.tmpfs.items():
        words = mount_rules.tmpfs_options(options)
        _take(MountRecord(kind="tmpfs", target=_target(target), options=words), records, targets)
    for target in config.volumes:
        if _target(target) not in records:
            volume = volumes.create()
            records[_target(target)] = MountRecord(
                kind="volume",
                target=_target(target),
                source=str(volumes.path(volume.name)),
                volume=volume.name,
                copy=True,
                anonymous=True,
            )


def required_options(mounts: Sequence[MountRecord]) -> dict[str, tuple[str, ...]]:
    """Return the options that each mount must keep from its source, by target; may block on a file system that hangs.

    A bind has its source's options (mount(2)), but crun sets them again, and would drop `noexec`, for example.
    """
    options: dict[str, tuple[str, ...]] = {}
    for mount in mounts:
        if mount.kind != "tmpfs":
            with contextlib.suppress(OSError):
                flags = os.statvfs(mount.source).f_flag
                options[mount.target] = tuple(name for flag, name in _HELD if flags & flag)
    return options


def check(mounts: Sequence[MountRecord], workdir: str) -> None:
    """Refuse a start that would fail on a mount, with the same message for every runtime.

    The message is runc's. crun has its own for a missing source, and makes the working directory within a mount before
    it makes the mount read-only.

    Raises:
        EngineError: A source has gone since the creation, or the working directory would have to be made where a mount
            is read-only.
    """
    for candidate in mounts:
        if candidate.kind == "bind" and not os.path.lexists(candidate.source):
            raise EngineError(
                f'error mounting "{candidate.source}" to rootfs at "{candidate.target}": no such file or directory',
                status=400,
            )
    holding = [candidate for candidate in mounts if f"{workdir}/".startswith(f"{candidate.target}/")]
    mount = max(holding, key=lambda candidate: len(candidate.target), default=None)
    if mount is None or mount.kind == "tmpfs" or not mount.read_only:
        return
    path = Path(mount.source)
    for part in Path(workdir).relative_to(mount.target).parts:
        path /= part
        try:
            if stat.S_ISLNK(path.lstat().st_mode):
                return  # it is resolved in the container's root
        except FileNotFoundError:
            raise EngineError(f"mkdir {workdir}: read-only file system") from None
        except OSError:
            return  # the runtime will report it


def _narrowed(record: MountRecord, mode: str) -> MountRecord:
    read_only = record.read_only or "ro" in mode.split(",")
    return msgspec.structs.replace(record, read_only=read_only, copy=False)


def _take(record: MountRecord, records: dict[str, MountRecord], targets: set[str]) -> None:
    if record.target in targets:
        raise InvalidInput(f"Duplicate mount point: {record.target}")
    targets.add(record.target)
    records[record.target] = record


def _bind(text: str, volumes: VolumeStore, driver: str) -> MountRecord:
    parts = text.split(":")
    if len(parts) == 1:
        parts = ["", *parts]
    if len(parts) not in {2, 3} or not parts[1]:
        raise InvalidInput(f"invalid volume specification: {text[:200]!r}")
    source, target = parts[0], _target(parts[1])
    words = mount_rules.words(parts[2] if len(parts) == 3 else "", named=not source.startswith("/"))
    propagation = next((word for word in words if word in MODES), "")
    mode = ",".join(words)
    if source.startswith("/"):
        source = os.path.normpath(source)
        if not Path(source).exists():
            Path(source).mkdir(parents=True)  # the -v form creates it, as in Docker Engine
        return MountRecord(
            kind="bind",
            target=target,
            source=source,
            read_only="ro" in words,
            propagation=propagation,
            mode=mode,
        )
    created = volumes.create(source, driver=driver or "local")
    return MountRecord(
        kind="volume",
        target=target,
        source=str(volumes.path(created.name)),
        volume=created.name,
        read_only="ro" in words,
        mode=mode or "z",
        copy="nocopy" not in words,
        anonymous=not source,
    )


def _mount(requested: MountConfig, volumes: VolumeStore) -> MountRecord:
    target = _target(requested.target)
    if requested.type == "tmpfs":
        options: list[str] = []
        if requested.tmpfs_options is not None:
            if requested.tmpfs_options.size_bytes:
                options.append(f"size={requested.tmpfs_options.size_bytes}")
            if requested.tmpfs_options.mode:
                options.append(f"mode={requested.tmpfs_options.mode:o}")
        if requested.read_only:
            options.append("ro")
        return MountRecord(kind="tmpfs", target=target, options=options)
    if requested.type == "bind":
        bind = requested.bind_options
        if not Path(requested.source).exists():
            if bind is None or not bind.create_mountpoint:
                raise InvalidInput(
                    f'invalid mount config for type "bind": bind source path does not exist: {requested.source[:200]}'
                )
            Path(requested.source).mkdir(parents=True)
        return MountRecord(
            kind="bind",
            target=target,
            source=os.path.normpath(requested.source),
            read_only=requested.read_only,
            propagation=bind.propagation if bind else "",
            recursive=not (bind and bind.non_recursive),
            recursive_read_only=_recursive_read_only(bind),
        )
    options_ = requested.volume_options
    driver = options_.driver_config if options_ else None
    created = volumes.create(
        requested.source,
        driver=(driver.name if driver else "") or "local",
        labels=options_.labels if options_ else None,
        options=driver.options if driver else None,
    )
    source = volumes.path(created.name)
    return MountRecord(
        kind="volume",
        target=target,
        source=str(source),
        volume=created.name,
        read_only=requested.read_only,
        mode="z",
        copy=not (options_ and options_.no_copy),
        subpath=options_.subpath if options_ else "",
        anonymous=not requested.source,
    )


def _passed_on(record: MountRecord, root: Path) -> MountRecord:
    """Choose the propagation of a bind.

    A bind of the engine's own directory receives the engine's unmounts, as in Docker Engine. It would keep containers'
    file systems mounted otherwise.

    Raises:
        InvalidInput: The request has another propagation.
    """
    if record.kind != "bind":
        return record
    source = Path(record.source)
    if not source.is_relative_to(root) and not root.is_relative_to(source):
        return msgspec.structs.replace(record, propagation=record.propagation or "rprivate")
    if record.propagation not in {"", "rslave", "rshared"}:
        raise InvalidInput(
            'invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within '
            f'the daemon root, daemon root: "{root}", bind mount source: "{source}", propagation: '
            f'"{record.propagation}"'
        )
    return msgspec.structs.replace(
        record, propagation=record.propagation or "rslave", may_be_private=not record.propagation
    )


def _recursive_read_only(bind: BindOptions | None) -> bool | None:
    if bind is None or not (bind.read_only_non_recursive or bind.read_only_force_recursive):
        return None
    return bind.read_only_force_recursive
