"""Mounts asked for at creation: `-v`, `--mount`, `--tmpfs`, `--volumes-from` and the image's volumes."""

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
    """Resolves every mount, making the volumes that are missing.

    Args:
        config: Image and creation merged.
        host: The host configuration.
        volumes: The engine's volumes.
        others: Returns the mounts of another container, for `--volumes-from`.
        root: The engine's own directory.

    Raises:
        InvalidInput: One makes no sense, or two have the same target.
    """
    found: dict[str, MountRecord] = {}
    try:
        _fill(found, config, host, volumes, others, root=root)
    except Exception:
        for record in found.values():
            if record.anonymous:  # nobody would know of it
                volumes.undo(volumes.find(record.volume))
        raise
    return list(found.values())


def _fill(
    found: dict[str, MountRecord],
    config: ContainerConfig,
    host: HostConfig,
    volumes: VolumeStore,
    others: Callable[[str], list[MountRecord]],
    *,
    root: Path,
) -> None:
    asked: set[str] = set()
    for entry in host.volumes_from:
        name, _, mode = entry.partition(":")
        mount_rules.words_of_others(mode)
        for record in others(name):
            if record.kind != "tmpfs":
                found[record.target] = _narrowed(record, mode)
    for each in host.mounts:
        mount_rules.check(each)
    for text in host.binds:
        _take(_passed_on(_bind(text, volumes, host.volume_driver), root), found, asked)
    for each in host.mounts:
        _take(_passed_on(_mount(each, volumes), root), found, asked)
    for target, options in host.tmpfs.items():
        words = mount_rules.tmpfs_options(options)
        _take(MountRecord(kind="tmpfs", target=_target(target), options=words), found, asked)
    for target in config.volumes:
        if _target(target) not in found:
            made = volumes.create()
            found[_target(target)] = MountRecord(
                kind="volume",
                target=_target(target),
                source=str(volumes.path(made.name)),
                volume=made.name,
                copy=True,
                anonymous=True,
            )


def held(mounts: Sequence[MountRecord]) -> dict[str, tuple[str, ...]]:
    """Returns what each source is mounted with, by the mounts' targets; may wait for a file system that hangs.

    A bind has its source's options (mount(2)), yet crun sets them anew, and would let programs run where they must not.
    """
    found: dict[str, tuple[str, ...]] = {}
    for each in mounts:
        if each.kind != "tmpfs":
            with contextlib.suppress(OSError):
                flags = os.statvfs(each.source).f_flag
                found[each.target] = tuple(name for flag, name in _HELD if flags & flag)
    return found


def check(mounts: Sequence[MountRecord], workdir: str) -> None:
    """Refuses a start that mounts stand in the way of, in the same words whatever the runtime.

    runc says the same; crun has words of its own for a missing source, and makes a working directory within a mount
    before it takes the right to write there away.

    Raises:
        EngineError: A source has gone since the creation, or the working directory would have to be made where a mount
            is read-only.
    """
    for each in mounts:
        if each.kind == "bind" and not os.path.lexists(each.source):
            raise EngineError(
                f'error mounting "{each.source}" to rootfs at "{each.target}": no such file or directory', status=400
            )
    holding = [each for each in mounts if f"{workdir}/".startswith(f"{each.target}/")]
    mount = max(holding, key=lambda each: len(each.target), default=None)
    if mount is None or mount.kind == "tmpfs" or not mount.read_only:
        return
    place = Path(mount.source)
    for part in Path(workdir).relative_to(mount.target).parts:
        place /= part
        try:
            if stat.S_ISLNK(place.lstat().st_mode):
                return  # it leads where the container's root, not ours, says
        except FileNotFoundError:
            raise EngineError(f"mkdir {workdir}: read-only file system") from None
        except OSError:
            return  # the runtime will say it


def _narrowed(record: MountRecord, mode: str) -> MountRecord:
    read_only = record.read_only or "ro" in mode.split(",")
    return msgspec.structs.replace(record, read_only=read_only, copy=False)


def _take(record: MountRecord, found: dict[str, MountRecord], asked: set[str]) -> None:
    if record.target in asked:
        raise InvalidInput(f"Duplicate mount point: {record.target}")
    asked.add(record.target)
    found[record.target] = record


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
            Path(source).mkdir(parents=True)  # the -v form makes it, as Docker Engine does
        return MountRecord(
            kind="bind",
            target=target,
            source=source,
            read_only="ro" in words,
            propagation=propagation,
            mode=mode,
        )
    made = volumes.create(source, driver=driver or "local")
    return MountRecord(
        kind="volume",
        target=target,
        source=str(volumes.path(made.name)),
        volume=made.name,
        read_only="ro" in words,
        mode=mode or "z",
        copy="nocopy" not in words,
        anonymous=not source,
    )


def _mount(each: MountConfig, volumes: VolumeStore) -> MountRecord:
    target = _target(each.target)
    if each.type == "tmpfs":
        options: list[str] = []
        if each.tmpfs_options is not None:
            if each.tmpfs_options.size_bytes:
                options.append(f"size={each.tmpfs_options.size_bytes}")
            if each.tmpfs_options.mode:
                options.append(f"mode={each.tmpfs_options.mode:o}")
        if each.read_only:
            options.append("ro")
        return MountRecord(kind="tmpfs", target=target, options=options)
    if each.type == "bind":
        bind = each.bind_options
        if not Path(each.source).exists():
            if bind is None or not bind.create_mountpoint:
                raise InvalidInput(
                    f'invalid mount config for type "bind": bind source path does not exist: {each.source[:200]}'
                )
            Path(each.source).mkdir(parents=True)
        return MountRecord(
            kind="bind",
            target=target,
            source=os.path.normpath(each.source),
            read_only=each.read_only,
            propagation=bind.propagation if bind else "",
            recursive=not (bind and bind.non_recursive),
            recursive_read_only=_recursive_read_only(bind),
        )
    options_ = each.volume_options
    driver = options_.driver_config if options_ else None
    made = volumes.create(
        each.source,
        driver=(driver.name if driver else "") or "local",
        labels=options_.labels if options_ else None,
        options=driver.options if driver else None,
    )
    source = volumes.path(made.name)
    return MountRecord(
        kind="volume",
        target=target,
        source=str(source),
        volume=made.name,
        read_only=each.read_only,
        mode="z",
        copy=not (options_ and options_.no_copy),
        subpath=options_.subpath if options_ else "",
        anonymous=not each.source,
    )


def _passed_on(record: MountRecord, root: Path) -> MountRecord:
    """Settles how mounts are passed on to a bind.

    One that shows the engine's own directory gets those the engine takes away, as Docker Engine has it: it would keep
    containers' file systems mounted otherwise.

    Raises:
        InvalidInput: It is to have them otherwise.
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
