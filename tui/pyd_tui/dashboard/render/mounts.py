"""A container's mounts."""

from __future__ import annotations

from pyd_core.model.container import Container, MountPoint
from pyd_tui.dashboard.render.facts import LABEL_COLUMNS, block, fact, nothing
from pyd_tui.dashboard.render.pieces import Cell, Span, cell


def mounts(container: Container) -> list[Cell]:
    """Return each mount with its source, access and propagation."""
    lines: list[Cell] = []
    for mount in container.mounts:
        access = cell("read-write", "text") if mount.rw else cell("read-only", "info")
        details = ", ".join(_details(mount))
        lines += [
            fact(mount.type or "mount", cell(mount.destination, "strong"), (Span("  "),), access),
            (Span(" " * (LABEL_COLUMNS + 1)), Span("← ", "faint"), *cell(mount.name or mount.source)),
        ]
        if mount.name and mount.source:
            lines.append((Span(" " * (LABEL_COLUMNS + 3)), *cell(mount.source, "dim")))
        if details:
            lines.append((Span(" " * (LABEL_COLUMNS + 3)), *cell(details, "dim")))
    temporary = [
        fact("tmpfs", cell(path, "strong"), cell(f"  {options}", "dim"))
        for path, options in container.host_config.tmpfs.items()
    ]
    root = [
        *([fact("driver", cell(driver))] if (driver := container.graph_driver.name or container.driver) else []),
        fact("access", cell("read-only" if container.host_config.readonly_rootfs else "read-write")),
        *(
            fact(name, cell(path, "dim"))
            for name, path in container.graph_driver.data.items()
            if name in _SHOWN_LAYER_PATHS
        ),
    ]
    shown = block("Mounts", lines) + block("In memory", temporary)
    return [*(shown or nothing("no mounts")), *block("Root file system", root)]


def _details(mount: MountPoint) -> list[str]:
    """Return the labelled options of a mount, without its access."""
    options = [option for option in mount.mode.split(",") if option not in {"", "ro", "rw", mount.propagation}]
    others = ",".join(option for option in options if option not in _SELINUX_LABELS)
    return [
        *([f"driver {mount.driver}"] if mount.driver else []),
        *(f"SELinux label {_SELINUX_LABELS[option]}" for option in options if option in _SELINUX_LABELS),
        *([f"options {others}"] if others else []),
        *([f"propagation {mount.propagation}"] if mount.propagation else []),
    ]


_SELINUX_LABELS = {"z": "shared (z)", "Z": "private (Z)"}
"""Meaning of the options that relabel a mount's source."""

_SHOWN_LAYER_PATHS = {"MergedDir", "UpperDir", "WorkDir"}
