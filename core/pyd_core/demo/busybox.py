"""The only program of the playground: this host's busybox, with its libraries where it isn't static."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from pyd_core.errors import Unsupported

PATHS = (Path("/bin/busybox"), Path("/usr/bin/busybox"), Path("/usr/lib/initramfs-tools/bin/busybox"))
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")


def find_busybox() -> dict[str, Path]:
    """Return the files to copy, by their path inside an image; busybox itself is `bin/busybox`.

    Raises:
        Unsupported: There is no busybox here.
    """
    busybox = next((path for path in PATHS if path.is_file()), None)
    if busybox is None:
        raise Unsupported(
            "the playground needs busybox, which isn't installed here",
            hint="apt install busybox-static",
            reference="no-busybox",
        )
    return {"bin/busybox": busybox, **_libraries(busybox)}


def _libraries(program: Path) -> dict[str, Path]:
    """Return the libraries that the loader would load, from ldd(1); none for a static program."""
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    paths = [Path(path) for path in _LIBRARY.findall(output)]
    return {str(path).lstrip("/"): path.resolve() for path in paths}
