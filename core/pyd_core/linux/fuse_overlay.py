"""fuse-overlayfs: layers stacked by a program, where the kernel can't; see fuse-overlayfs(1)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pyd_core.errors import Unsupported

PROGRAM = "fuse-overlayfs"


def mount_fuse_overlay(lower: Sequence[Path], upper: Path, work: Path, target: Path, *, why: str) -> None:
    """Mount an overlay, the first lower directory topmost; a process serves it until it is unmounted.

    Args:
        lower: The directories below.
        upper: Where changes go.
        work: An empty directory next to it.
        target: Where it is seen.
        why: What keeps the kernel from it, for the message.

    Raises:
        Unsupported: The program or FUSE is missing, or it failed.
    """
    program = shutil.which(PROGRAM)
    if program is None or not Path("/dev/fuse").exists():
        raise Unsupported(
            f"containers need overlayfs, and {why}",
            hint=f"install {PROGRAM}, or have the engine's --root on ext4, XFS or Btrfs under a kernel with overlayfs",
            reference="no-overlay",
        )
    options = f"lowerdir={':'.join(map(os.fspath, lower))},upperdir={upper},workdir={work}"
    done = subprocess.run(
        [program, "-o", options, str(target)], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        raise Unsupported(
            f"{why}, and {PROGRAM} failed: {text[-1] if text else done.returncode}", reference="no-overlay"
        )
