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
from typing import BinaryIO

from pyd_core.debug.toolbox import store
from pyd_debugimages.packs import BASE
from vm.carried import environment_disk, tree_disk
from vm.rootfs import cache, kernel_of, root_disk

MEMORY = "6G"
SLOW = ("-o", "timeout=1800")
"""An emulated processor takes ten times as long and more, for a test of eighty commands too."""
TOOLS = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", f"qemu-system-{platform.machine()}": "qemu-system"}


def boot(
    disk: Path, carried: Sequence[Path], directory: Path, *, hours: float, accelerator: str, network: str = "none"
) -> int:
    """Boot the machine, print the tests' output, and return their exit code (125: none was reported)."""
    kernel, initial = kernel_of(disk, directory)
    out, code = directory / "out", directory / "code"
    console = Path(os.environ.get("PYD_VM_CONSOLE", directory / "console"))
    accel = {"tcg": "tcg,thread=multi"}.get(accelerator, accelerator)
    # The ports lead to files: writing to a port without a reader, such as a closed pipe, would block the machine.
    words = [f"qemu-system-{platform.machine()}", "-accel", accel, "-cpu", "max",
             "-smp", str(os.cpu_count() or 1), "-m", MEMORY, "-nodefaults", "-nographic", "-no-reboot", "-nic", network,
             "-kernel", kernel, "-initrd", initial,
             "-append", "root=LABEL=root rw console=ttyS0 quiet panic=-1 mitigations=off systemd.show_status=no",
             "-drive", f"file={disk},format=raw,if=virtio,snapshot=on",
             *(word for drive in carried for word in ("-drive", f"file={drive},format=raw,if=virtio,readonly=on")),
             "-serial", f"file:{console}", "-device", "virtio-serial", "-device", "virtio-rng-pci",
             "-chardev", f"file,id=out,path={out}", "-device", "virtserialport,chardev=out,name=out",
             "-chardev", f"file,id=code,path={code}", "-device", "virtserialport,chardev=code,name=code"]  # fmt: skip
    machine = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + hours * 3600
    try:
        out.touch()
        with out.open("rb") as printed:
            while machine.poll() is None and time.monotonic() < deadline and not _exit_code(code):
                _show(printed)
                time.sleep(0.2)  # a file has no event for its growth
            _show(printed)
    finally:
        # The exit code is all that is needed: its disks are thrown away.
        machine.kill()
        machine.wait()
    if _exit_code(code):
        return int(code.read_text())
    print(f"the tests reported no exit code within {hours:g} h; the end of the machine's console:", file=sys.stderr)
    print("\n".join(console.read_text(errors="replace").splitlines()[-40:]), file=sys.stderr)
    return 125


def _exit_code(code: Path) -> bool:
    """Return whether the exit code is written in full."""
    return code.exists() and code.read_text().endswith("\n")


def _show(printed: BinaryIO) -> None:
    if text := printed.read():
        sys.stdout.write(text.decode(errors="replace"))
        sys.stdout.flush()


def main(words: Sequence[str]) -> int:
    """Take what pytest is to be given; `--hours N` bounds the run, `-- COMMAND` runs that in the place of pytest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2)
    # Hardware isn't the default: where a machine is virtual already, /dev/kvm may be there and crash the guest.
    parser.add_argument("--accel", default="tcg", help="what runs it: tcg (emulation, everywhere) or kvm")
    parser.add_argument("--command", help="run this line in the place of pytest")
    parser.add_argument("--bare", action="store_true", help="a machine with git, python3 and a network, no more")
    options, suites = parser.parse_known_args(words)
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        print(f"needs root and: apt-get install {' '.join(TOOLS.values())}", file=sys.stderr)
        return 2
    command = ["python", "-m", "pytest", "-p", "no:cacheprovider", *SLOW, *(suites or ["tests/privileged/triage"])]
    if options.bare:
        command = ["sh", "tests/vm/alone.sh"]
    if options.command:
        command = shlex.split(options.command)
    begun = time.monotonic()
    disk = root_disk(bare=options.bare)
    with tempfile.TemporaryDirectory(prefix="pyd-vm-", dir="/var/tmp") as scratch:
        toolbox = None if options.bare else store.find(BASE, store.store_root())
        carried = [tree_disk(Path(scratch), command, toolbox=toolbox)]
        if not options.bare:
            carried.append(environment_disk(cache()))
        print(f"the machine's disks took {time.monotonic() - begun:.0f} s", flush=True)
        network = "user,model=virtio-net-pci" if options.bare else "none"
        code = boot(disk, carried, Path(scratch), hours=options.hours, accelerator=options.accel, network=network)
    print(f"exit code {code} after {time.monotonic() - begun:.0f} s")
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
