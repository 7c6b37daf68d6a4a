"""A container's mounts."""

from __future__ import annotations

from pyd_core.model.container import Container
from pyd_tui.dashboard.render.facts import LABEL, block, fact, nothing
from pyd_tui.dashboard.render.pieces import Cell, Span, cell


def mounts(found: Container) -> list[Cell]:
    """Return each mount with its source, access and propagation."""
    lines: list[Cell] = []
    for mount in found.mounts:
        rights = cell("read-write", "text") if mount.rw else cell("read-only", "info")
        facts = " ".join(part for part in (mount.driver, mount.mode, mount.propagation) if part)
        lines += [
            fact(mount.type or "mount", cell(mount.destination, "strong"), (Span("  "),), rights),
            (Span(" " * (LABEL + 1)), Span("← ", "faint"), *cell(mount.name or mount.source)),
        ]
        if mount.name and mount.source:
            lines.append((Span(" " * (LABEL + 3)), *cell(mount.source, "dim")))
        if facts:
            lines.append((Span(" " * (LABEL + 3)), *cell(facts, "dim")))
    temporary = [
        fact("tmpfs", cell(where, "strong"), cell(f"  {options}", "dim"))
        for where, options in found.host_config.tmpfs.items()
    ]
    root = [
        *([fact("driver", cell(driver))] if (driver := found.graph_driver.name or found.driver) else []),
        fact("access", cell("read-only" if found.host_config.readonly_rootfs else "read-write")),
        *(fact(name, cell(path, "dim")) for name, path in found.graph_driver.data.items() if name in _SHOWN),
    ]
    shown = block("Mounts", lines) + block("In memory", temporary)
    return [*(shown or nothing("it has no mounts")), *block("Root", root)]


_SHOWN = {"MergedDir", "UpperDir", "WorkDir"}
