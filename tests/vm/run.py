"""Runs suites in a machine of their own, with pure cgroup v2: `nox -s vm -- tests/privileged/triage`."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from carried import carried_disk

from rootfs import kernel_of, root_disk

MEMORY = "3G"
TOOLS = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", f"qemu-system-{platform.machine()}": "qemu-system"}


def boot(disk: Path, carried: Path, directory: Path, *, hours: float, accelerator: str) -> int:
    """Boots the machine, shows what the tests print, and returns their exit code (125: the machine told none)."""
    kernel, initial = kernel_of(disk, directory)
    code, console = directory / "code", Path(os.environ.get("PYD_VM_CONSOLE", directory / "console"))
    accel = {"tcg": "tcg,thread=multi"}.get(accelerator, accelerator)
    words = [f"qemu-system-{platform.machine()}", "-accel", accel, "-cpu", "max",
             "-smp", str(os.cpu_count() or 1), "-m", MEMORY, "-nodefaults", "-nographic", "-no-reboot", "-nic", "none",
             "-kernel", kernel, "-initrd", initial,
             "-append", "root=LABEL=root rw console=ttyS0 quiet panic=-1 mitigations=off systemd.show_status=no",
             "-drive", f"file={disk},format=raw,if=virtio,snapshot=on",
             "-drive", f"file={carried},format=raw,if=virtio,readonly=on",
             "-serial", f"file:{console}", "-device", "virtio-serial", "-device", "virtio-rng-pci",
             "-chardev", "stdio,id=out,signal=off", "-device", "virtserialport,chardev=out,name=out",
             "-chardev", f"file,id=code,path={code}", "-device", "virtserialport,chardev=code,name=code"]  # fmt: skip
    try:
        subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, timeout=hours * 3600, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        print(f"the machine didn't end well: {error}", file=sys.stderr)
    told = code.read_text().strip() if code.exists() else ""
    if told.isdigit():
        return int(told)
    print("the tests told no exit code; the end of the machine's console:", file=sys.stderr)
    print("\n".join(console.read_text(errors="replace").splitlines()[-40:]), file=sys.stderr)
    return 125


def main(words: Sequence[str]) -> int:
    """Takes what pytest is to be given; `--hours N` bounds the run, `-- COMMAND` runs that in the place of pytest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2)
    # Hardware isn't taken by itself: where a machine is virtual already, /dev/kvm may be there and crash the guest.
    parser.add_argument("--accel", default="tcg", help="what runs it: tcg (emulation, everywhere) or kvm")
    parser.add_argument("--command", help="run this line in the place of pytest")
    options, suites = parser.parse_known_args(words)
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        print(f"needs root and: apt-get install {' '.join(TOOLS.values())}", file=sys.stderr)
        return 2
    command = ["python", "-m", "pytest", "-p", "no:cacheprovider", *(suites or ["tests/privileged/triage"])]
    if options.command:
        command = shlex.split(options.command)
    begun = time.monotonic()
    disk = root_disk()
    with tempfile.TemporaryDirectory(prefix="pyd-vm-", dir="/var/tmp") as scratch:
        carried = carried_disk(Path(scratch), command)
        print(f"the machine's disks took {time.monotonic() - begun:.0f} s", flush=True)
        code = boot(disk, carried, Path(scratch), hours=options.hours, accelerator=options.accel)
    print(f"exit code {code} after {time.monotonic() - begun:.0f} s")
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
