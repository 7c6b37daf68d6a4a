"""Debian packages from the host's apt, with everything they need, and without touching the host's own packages."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyd_core.debug.machine import DEBIAN, own_machine
from pyd_core.errors import NotFound, ToolboxError
from pyd_core.sanitise import safe
from pyd_debugimages.packs import PACKS

Progress = Callable[[str, int, int], None]
"""Called with the stage (`fetching lists`, `downloading` …), how much of it is done, and how much there is."""

_URI = re.compile(r"^'([^']+)' (\S+) (\d+) (\S*)$", re.MULTILINE)
_STATUS = re.compile(r"^dlstatus:[^:]*:([0-9.]+):")

# A list option can only be emptied from a file read after the host's own settings, which `--config-file` is.
_SETTINGS = """
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Architectures;
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
Dir::State "{state}";
Dir::State::status "{state}/status";
Dir::Cache "{cache}";
Dir::Log "{state}/log";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
Acquire::Retries "3";
quiet "1";
"""


@dataclass(frozen=True, slots=True)
class PackageArchive:
    """A package to fetch: its file name (`bash_5.2.37-2+b10_amd64.deb`) and size in bytes."""

    file: str
    size: int
    checksum: str

    @property
    def package(self) -> str:
        """The package's name."""
        return self.file.partition("_")[0]


class Apt:
    """The host's apt with directories of its own: the host's sources and keys, none of its installed packages.

    Args:
        directory: Kept between uses, so that lists and packages are fetched once.
        machine: The machine of the packages, as `uname -m` names it.
    """

    def __init__(self, directory: Path, machine: str) -> None:
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise ToolboxError(
                "no toolbox yet, and no apt on this machine to build one from",
                hint="on a Debian or Ubuntu machine: pyd toolbox export FILE; then here: pyd toolbox import FILE",
                reference="toolbox-no-apt",
            )
        self.machine = machine
        self._directory = directory
        self._cache = directory / "cache"
        state = directory / "state"
        for path in (state / "lists/partial", self._cache / "archives/partial", state / "log"):
            path.mkdir(parents=True, exist_ok=True)
        (state / "status").write_bytes(b"")  # nothing is installed: what tools need comes along, the C library too
        self._settings = directory / "apt.conf"
        self._settings.write_text(_SETTINGS.format(state=state, cache=self._cache, architecture=_architecture(machine)))

    def resolve(self, packages: Iterable[str]) -> list[str]:
        """Return packages by the names that this release has for them; of `one|other` the first there is.

        Raises:
            NotFound: There is none of that name; the nearest names are offered.
        """
        known = self.names()
        names: list[str] = []
        for choice in packages:
            name = next((name for name in choice.split("|") if name in known), None)
            if name is None:
                raise unknown(choice.partition("|")[0], [*PACKS, *known])
            names.append(name)
        return names

    def has_lists(self) -> bool:
        """Return whether lists of packages have been fetched."""
        return any(path.is_file() and path.name != "lock" for path in (self._directory / "state/lists").iterdir())

    def names(self) -> set[str]:
        """Return the names of all packages there are."""
        return set(self._query("pkgnames").split())

    def search(self, words: Sequence[str]) -> list[tuple[str, str]]:
        """Return the packages whose names or summaries have all these words: name and summary."""
        lines = (line.partition(" - ") for line in self._query("search", *words).splitlines())
        return sorted((name, summary) for name, _, summary in lines)

    def _query(self, *arguments: str) -> str:
        command = ["apt-cache", f"--config-file={self._settings}", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
        if done.returncode != 0:
            errors = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise ToolboxError(f"apt-cache {arguments[0]} failed: {errors[-1]}", reference="toolbox-apt")
        return done.stdout.decode(errors="replace")

    def update(self, progress: Progress) -> None:
        """Fetch the lists of packages."""
        self._run(["update"], "fetching lists", progress)

    def closure(self, packages: Iterable[str], bare: Iterable[str] = ()) -> list[PackageArchive]:
        """Return the packages and all they depend on, and more without what those depend on."""
        # What is in the cache, or in the working directory, isn't printed, so apt is shown empty ones.
        empty = self._directory / "empty"
        (empty / "partial").mkdir(parents=True, exist_ok=True)
        options = ["-o", f"Dir::Cache::archives={empty}"]
        printed = self._run([*options, "install", "-y", "--print-uris", *packages], "", _unheard)
        if alone := list(bare):
            printed += self._run(["download", "--print-uris", *alone], "", _unheard, directory=empty)
        archives = [PackageArchive(name, int(size), check) for _, name, size, check in _URI.findall(printed)]
        if not archives:
            raise ToolboxError("apt offers no packages", hint="check /etc/apt/sources.list and run: apt-get update")
        return sorted(set(archives), key=lambda archive: archive.file)

    def download(
        self, packages: Sequence[str], bare: Sequence[str], archives: Sequence[PackageArchive], progress: Progress
    ) -> list[Path]:
        """Fetch packages, as `closure` names them, with apt's own checks of signatures and checksums."""
        self._run(["install", "-y", "--download-only", *packages], "downloading", progress)
        if bare:  # into the directory it is in; apt's own user needn't be able to write there
            self._run(["-o", "APT::Sandbox::User=root", "download", *bare], "downloading", progress)
        files = [self._cache / "archives" / archive.file for archive in archives]
        for path in files:
            if not path.exists():
                raise ToolboxError(
                    f"apt didn't fetch {path.name}", hint="run again; if it stays so, run: apt-get update"
                )
        return files

    def drop_others(self, archives: Iterable[PackageArchive]) -> None:
        """Remove all fetched packages but these: the next toolbox takes most of them."""
        kept = {archive.file for archive in archives}
        for path in (self._cache / "archives").glob("*.deb"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _run(self, arguments: list[str], stage: str, progress: Progress, directory: Path | None = None) -> str:
        command = ["apt-get", f"--config-file={self._settings}"]
        read, write = os.pipe()
        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        with (
            tempfile.TemporaryFile() as errors,
            open(read, encoding="utf-8", errors="replace") as status,
            subprocess.Popen(
                [*command, "-o", f"APT::Status-Fd={write}", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if not stage else subprocess.DEVNULL,
                stderr=errors,
                pass_fds=(write,),
                cwd=directory or self._cache / "archives",
                env=environment,
            ) as process,
        ):
            os.close(write)
            if stage:
                progress(stage, 0, 100)
                for line in status:
                    if match := _STATUS.match(line):
                        progress(stage, int(float(match.group(1))), 100)
            printed = process.stdout.read().decode(errors="replace") if process.stdout is not None else ""
            process.wait()
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
        if process.returncode != 0:
            reason = next(
                (line[3:] for line in lines if line.startswith("E: ")), lines[-1] if lines else "no reason given"
            )
            if "No space left" in " ".join(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            verb = next(word for word in arguments if word.isalpha())
            raise ToolboxError(
                f"apt-get {verb} failed: {reason}",
                hint="check this machine's network and /etc/apt/sources.list; apt-get update says more",
                reference="toolbox-apt",
            )
        if stage:
            progress(stage, 100, 100)
        return printed


def _architecture(machine: str) -> str:
    """Return Debian's name of a machine; for this one, dpkg's."""
    if machine != own_machine():
        return DEBIAN.get(machine, machine)
    result = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=False)
    return result.stdout.strip() or DEBIAN.get(machine, machine)


def unknown(name: str, known: Sequence[str]) -> NotFound:
    """Return the error for a package or pack that there isn't."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a failure pays for it

    # Ten thousands of names: those that begin alike are worth comparing.
    nearest = get_close_matches(name, [candidate for candidate in known if candidate[:1] == name[:1]], n=3)
    hint = f"did you mean {', '.join(nearest)}?" if nearest else "look for it with: pyd toolbox search WORD"
    return NotFound(f"no pack or package {safe(name)!r}", nearest=nearest, hint=hint, reference="no-such-package")


def _unheard(stage: str, done: int, total: int) -> None:
    """Ignore progress."""
