"""AppArmor: the profile containers get where the kernel has it, Docker Engine's by name and by rules.

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
"""Everything but what reaches the host: most of what can be written in /proc and /sys, mounts, other processes. Paths
are told apart letter by letter, for a rule that denies can't have exceptions."""


def text(*, name: str = DEFAULT, engine: str = UNCONFINED, macros: Path = MACROS) -> str:
    """Writes the profile.

    Args:
        name: What it is called.
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
    """Whether the kernel has it and profiles can be loaded; inside of a container they mostly can't."""
    try:
        return enabled.read_text().startswith("Y") and loaded.exists() and _parser() is not None
    except OSError:
        return False


def profile(host: HostConfig, asked: str, *, there: bool) -> str:
    """Returns a container's profile; empty where it has none, since there is no AppArmor.

    Args:
        host: Its rights.
        asked: The value of `--security-opt apparmor=`.
        there: Whether AppArmor is supported.
    """
    if asked:
        return asked
    if not there:
        return ""
    return UNCONFINED if host.privileged else DEFAULT


def _missing(name: str, loaded: Path) -> str:
    """The text of the profile; empty when it is loaded."""
    if any(line.rpartition(" (")[0] == name for line in loaded.read_text().splitlines()):
        return ""
    engine = CURRENT.read_text().strip("\0\n")
    return text(name=name, engine=engine.rpartition(" (")[0] or engine or UNCONFINED)


async def ensure(name: str, *, loaded: Path = LOADED) -> None:
    """Loads the default profile if that is asked for and isn't loaded.

    Raises:
        EngineError: It can't be loaded: nothing is started without what should confine it.
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
        said = done.err.decode(errors="replace").strip().splitlines()
        raise EngineError(
            f"AppArmor's profile {name} can't be loaded: {said[-1] if said else done.code}",
            hint="--security-opt apparmor=unconfined runs a container without it",
        )
