"""The machine's root file system: Debian with a kernel, systemd, engines and what suites need, kept between runs."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

SIZE = "6G"
"""Of the disk; the file is sparse and takes a quarter of it."""

_KERNEL = {"x86_64": "linux-image-cloud-amd64", "aarch64": "linux-image-cloud-arm64"}
BARE = (
    _KERNEL.get(platform.machine(), "linux-image-generic"),
    "systemd-sysv",
    "udev",
    "dbus",
    "kmod",
    "git",
    "python3",
)
"""A server as it is handed over, and what the two commands ask for: git and python3."""
PACKAGES = (
    *BARE,
    *("ca-certificates", "procps", "util-linux", "mount", "e2fsprogs"),
    *(
        "docker.io",
        "docker-cli",
        "podman",
        "crun",
        "runc",
        "conmon",
        "netavark",
        "aardvark-dns",
        "nftables",
        "iptables",
    ),
    *(
        "iproute2",
        "docker-compose",
        "docker-registry",
        "skopeo",
        "openssh-server",
        "openssh-client",
        "openssl",
        "tmux",
        "busybox-static",
    ),
    *("apparmor", "curl", "gcc", "libc6-dev", "strace", "uidmap"),
)
"""`python3` is there for its libraries: the interpreter itself comes with the tree."""

INSIDE = Path(__file__).with_name("inside.sh")

NETWORK = """[Match]
Type=ether
Kind=!*

[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
"""
"""How a machine with a network has it: qemu's own, which reaches what this machine's processes reach."""

UNIT = """[Unit]
Description=The tests this machine was started for
After=docker.service multi-user.target
Wants=docker.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'exec /bin/sh /opt/inside.sh >/dev/virtio-ports/out 2>&1'
FailureAction=poweroff-force
SuccessAction=poweroff-force
"""

SLOWER = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer", "dpkg-db-backup.timer"),
    *("podman.service", "podman.socket", "podman-auto-update.timer", "podman-restart.service"),
    *("ssh.service", "docker-registry.service", "systemd-timesyncd.service"),
)
"""What packages start and no test uses; under emulation each costs seconds of the boot."""


def suite() -> str:
    """The Debian release of this machine: the interpreter of the tree is built for its libraries."""
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def cache() -> Path:
    """Return the directory of the disks, created if absent."""
    path = user_cache_path("pyd") / "vm"
    path.mkdir(parents=True, exist_ok=True)
    return path


def root_disk(*, bare: bool = False) -> Path:
    """Return the disk's image, made at first and again whenever what goes into it has changed.

    Args:
        bare: Without the engines and tools of the suites, but with a network.
    """
    packages, kind = (BARE, "bare") if bare else (PACKAGES, "root")
    recipe = "\n".join((suite(), SIZE, UNIT, NETWORK, INSIDE.read_text(), *packages, *SLOWER, *sources()))
    key = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    disk = cache() / f"{kind}-{key}.ext4"
    if not disk.exists():
        with tempfile.TemporaryDirectory(dir=cache()) as scratch:
            half = _make(Path(scratch), packages, networked=bare)
            for old in cache().glob(f"{kind}-*.ext4"):
                old.unlink()
            half.rename(disk)
    return disk


def kernel_of(disk: Path, directory: Path) -> tuple[Path, Path]:
    """Take the kernel and its initial file system out of a disk's image."""
    names = subprocess.run(
        ["debugfs", "-R", "ls -p /boot", disk], capture_output=True, text=True, check=True
    ).stdout.split("/")
    suites = []
    for kind in ("vmlinuz-", "initrd.img-"):
        name = next(name for name in names if name.startswith(kind))
        subprocess.run(
            ["debugfs", "-R", f"dump /boot/{name} {directory / kind}", disk], capture_output=True, check=True
        )
        suites.append(directory / kind)
    return suites[0], suites[1]


def sources() -> list[str]:
    """Return this machine's package sources, without those that are files of it."""
    source_files = (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*")))
    return [str(path) for path in source_files if path.is_file() and "file:" not in path.read_text()]


def apt_options(file: Path) -> str:
    """Write how this machine's apt reaches its sources to a file, and return mmdebstrap's option that names it."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    options = ("Acquire::http", "Acquire::https", "Acquire::Check", "Acquire::Retries")
    file.write_text("".join(f"{line}\n" for line in dump.splitlines() if line.startswith(options)))
    return f"--aptopt={file}"


def _make(scratch: Path, packages: Sequence[str], *, networked: bool) -> Path:
    root = scratch / "root"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(packages)}",
         apt_options(scratch / "apt"), '--aptopt=APT::Install-Recommends "false"', suite(), root, *sources()],
        check=True,
    )  # fmt: skip
    _settle(root)
    if networked:
        _connect(root)
    disk = scratch / "disk"
    # Neither journal nor checks: the machine writes to a copy that goes with it.
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-L", "root", "-d", root, disk, SIZE], check=True
    )
    shutil.rmtree(root)
    return disk


def _settle(root: Path) -> None:
    """Configure the machine to start only the tests."""
    (root / "etc/fstab").write_text("LABEL=root / ext4 defaults 0 0\n")
    (root / "etc/hostname").write_text("vm\n")
    (root / "opt/inside.sh").write_bytes(INSIDE.read_bytes())
    units = root / "etc/systemd/system"
    (units / "tests.service").write_text(UNIT)
    wants = units / "default.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "tests.service").symlink_to("/etc/systemd/system/tests.service")
    for name in SLOWER:
        (units / name).unlink(missing_ok=True)
        (units / name).symlink_to("/dev/null")


def _connect(root: Path) -> None:
    """Give it the network, and the certificates this machine trusts besides Debian's."""
    (root / "etc/systemd/network/ether.network").write_text(NETWORK)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "systemd-networkd.service").symlink_to("/usr/lib/systemd/system/systemd-networkd.service")
    (root / "etc/resolv.conf").write_text("nameserver 10.0.2.3\n")
    trusted = Path("/usr/local/share/ca-certificates")
    if trusted.is_dir():
        shutil.copytree(trusted, root / trusted.relative_to("/"), dirs_exist_ok=True)
