"""The kinds of containers that a debug shell is held to, each with a known file, `/known`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.docker import LABEL, LONE, Docker, busybox_files, compile_static
from support.missing import missing
from vm.rootfs import apt_options, sources, suite

KNOWN = "a known line\n"
POISON = "#!/bin/sh\necho poisoned\nexit 99\n"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of container.

    Attributes:
        image: `static`, `scratch`, `busybox` or `debian`.
        options: Of `docker run`.
    """

    image: str = "static"
    options: tuple[str, ...] = LONE


KINDS: dict[str, Kind] = {
    "static distroless": Kind(),
    "scratch, no directories": Kind(image="scratch"),
    "busybox": Kind(image="busybox"),
    "Debian": Kind(image="debian"),
    "read-only": Kind(options=("--read-only", *LONE)),
    "non-root": Kind(image="busybox", options=("--user", "1000:1000", *LONE)),
    "cap-drop ALL, no-new-privileges": Kind(
        options=("--cap-drop", "ALL", "--security-opt", "no-new-privileges", *LONE)
    ),
    "network host": Kind(options=("--network", "host", "--stop-signal", "KILL")),
    "pid host": Kind(options=("--pid", "host", *LONE)),
    "--init": Kind(options=("--init", *LONE)),
    "volume, bind, tmpfs": Kind(
        image="busybox", options=("--volume", "/data", "--volume", "/usr/share:/bound:ro", "--tmpfs", "/quick", *LONE)
    ),
    "20 MB limit": Kind(options=("--memory", "20m", *LONE)),
    "no /etc/passwd": Kind(image="scratch", options=("--user", "4321", *LONE)),
    "poisoned ls on PATH": Kind(image="poisoned"),
}


CRASH = "int main(void) { return 3; }"


def debian(known: dict[str, bytes | Path | str], directory: Path) -> Path:
    """Make a tar of Debian's essential packages, from this machine's package sources, with our files at its top."""
    archive = directory / "debian.tar"
    if not archive.exists():
        if shutil.which("mmdebstrap") is None:
            missing("mmdebstrap")
        for name, content in known.items():
            if isinstance(content, bytes):
                (directory / name).write_bytes(content)
        files = " ".join(str(directory / name) for name in known)
        options = ("--quiet", "--mode=root", "--variant=essential", f"--customize-hook=copy-in {files} /")
        subprocess.run(
            ["mmdebstrap", *options, apt_options(directory / "apt"), suite(), archive, *sources()], check=True
        )
    return archive


def images(docker: Docker, sleeper: Path) -> dict[str, str]:
    """Make the images, by the names that kinds call them; each has a program that sleeps, and one that crashes."""
    crash = compile_static(CRASH, sleeper.with_name("crash"))
    main = 'CMD ["/app"]'
    folders = ("etc", "tmp", "data", "proc", "dev")
    users = "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n"
    known: dict[str, bytes | Path | str] = {"app": sleeper, "crash": crash, "known": KNOWN.encode()}
    poisoned = {**busybox_files(), **known, "poison/ls": POISON.encode(), "poison/cat": POISON.encode()}
    make: dict[str, Callable[[], str]] = {
        "static": lambda: docker.image("m-static", {**known, "etc/passwd": users.encode()}, main, directories=folders),
        "scratch": lambda: docker.image("m-scratch", {**known}, main),
        "busybox": lambda: docker.image(
            "m-busybox", {**busybox_files(), **known, "etc/passwd": users.encode()}, main, directories=("tmp", "data")
        ),
        "poisoned": lambda: docker.image("m-poisoned", poisoned, main, "ENV PATH=/poison:/bin", directories=("tmp",)),
    }
    targets = {name: archive() for name, archive in make.items()}
    targets["debian"] = f"{docker.name('m-debian')}:1"
    label = f"LABEL {LABEL}={docker.prefix}"
    docker("import", "-c", main, "-c", label, str(debian(known, sleeper.parent)), targets["debian"])
    return targets
