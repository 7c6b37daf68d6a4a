"""The one program the playground is made of: this host's busybox, with the libraries it needs where it isn't static."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from pyd_core.errors import Unsupported

PLACES = (Path("/bin/busybox"), Path("/usr/bin/busybox"), Path("/usr/lib/initramfs-tools/bin/busybox"))
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")


def find_busybox() -> dict[str, Path]:
    """Returns the files to carry, by their path inside an image; busybox itself is `bin/busybox`.

    Raises:
        Unsupported: There is none here.
    """
    found = next((path for path in PLACES if path.is_file()), None)
    if found is None:
        raise Unsupported(
            "the playground is made of busybox, and there is none here",
            hint="apt install busybox-static",
            reference="no-busybox",
        )
    return {"bin/busybox": found, **_libraries(found)}


def _libraries(program: Path) -> dict[str, Path]:
    """What the loader would load, as ldd(1) tells; nothing for a static program."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    paths = [Path(path) for path in _LIBRARY.findall(said)]
    return {str(path).lstrip("/"): path.resolve() for path in paths}
