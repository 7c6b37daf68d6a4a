"""AppArmor: the profile of containers where the kernel supports it, with Docker Engine's name and rules.

See apparmor.d(5) and apparmor_parser(8). A profile of that name that is loaded already, by Docker Engine or by the
administrator, is left as it is.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from pyd_core.daemon.runtime import subprocesses
from pyd_core.errors import EngineError
from pyd_core.model.host_config import HostConfig

DEFAULT = "docker-default"
UNCONFINED = "unconfined"
ENABLED = Path("/sys/module/apparmor/parameters/enabled")
LOADED = Path("/sys/kernel/security/apparmor/profiles")
MACROS = Path("/etc/apparmor.d")
CURRENT = Path("/proc/self/attr/current")

_RULES = """
  network,
  capability,
  file,
  umount,

  signal (receive) peer=unconfined,
  signal (receive) peer=runc,
  signal (receive) peer=crun,
  signal (receive) peer={engine},
  signal (send,receive) peer={name},

  deny @{{PROC}}/* w,
  deny @{{PROC}}/{{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}}/** w,
  deny @{{PROC}}/sys/[^k]** w,
  deny @{{PROC}}/sys/kernel/{{?,??,[^s][^h][^m]**}} w,
  deny @{{PROC}}/sysrq-trigger rwklx,
  deny @{{PROC}}/kcore rwklx,

  deny mount,

  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,

  ptrace (trace,read,tracedby,readby) peer={name},
"""
"""All but access to the host: mounts, other processes, and most writable files in /proc and /sys. Rules spell paths out
letter by letter, because a rule that denies can't have exceptions."""


def text(*, name: str = DEFAULT, engine: str = UNCONFINED, macros: Path = MACROS) -> str:
    """Return the text of the profile.

    Args:
        name: The profile's name.
        engine: The profile the engine itself runs under, for the signals it sends.
        macros: Where AppArmor's own pieces are; what is missing there is left out.
    """
    first = "#include <tunables/global>\n" if (macros / "tunables/global").exists() else "@{PROC}=/proc/\n"
    base = "  #include <abstractions/base>\n" if (macros / "abstractions/base").exists() else ""
    head = f"profile {name} flags=(attach_disconnected,mediate_deleted) {{\n"
    return first + head + base + _RULES.format(name=name, engine=engine) + "}\n"


def _parser() -> str | None:
    return shutil.which("apparmor_parser", path="/usr/sbin:/sbin:/usr/bin")


def supported(*, enabled: Path = ENABLED, loaded: Path = LOADED) -> bool:
    """Return whether profiles can be loaded; inside a container they mostly can't."""
    try:
        return enabled.read_text().startswith("Y") and loaded.exists() and _parser() is not None
    except OSError:
        return False


def profile(host: HostConfig, requested: str, *, is_supported: bool) -> str:
    """Return the name of a container's profile; empty without AppArmor.

    Args:
        host: The container's host configuration.
        requested: The value of `--security-opt apparmor=`.
        is_supported: Whether AppArmor is supported.
    """
    if requested:
        return requested
    if not is_supported:
        return ""
    return UNCONFINED if host.privileged else DEFAULT


def _missing(name: str, loaded: Path) -> str:
    """Return the rules to load; empty when the profile is loaded already."""
    if any(line.rpartition(" (")[0] == name for line in loaded.read_text().splitlines()):
        return ""
    engine = CURRENT.read_text().strip("\0\n")
    return text(name=name, engine=engine.rpartition(" (")[0] or engine or UNCONFINED)


async def ensure(name: str, *, loaded: Path = LOADED) -> None:
    """Load the default profile if it is requested and isn't loaded yet.

    Raises:
        EngineError: It can't be loaded: no container starts unconfined by accident.
    """
    if name != DEFAULT or not supported():
        return
    try:
        missing = _missing(name, loaded)
    except OSError as error:
        raise EngineError(f"AppArmor's profiles can't be read: {error.strerror}") from error
    if not missing:
        return
    done = await subprocesses.run([_parser() or "", "-Kr"], stdin=missing.encode())
    if done.code != 0:
        error_lines = done.err.decode(errors="replace").strip().splitlines()
        raise EngineError(
            f"AppArmor's profile {name} can't be loaded: {error_lines[-1] if error_lines else done.code}",
            hint="--security-opt apparmor=unconfined runs a container without it",
        )
