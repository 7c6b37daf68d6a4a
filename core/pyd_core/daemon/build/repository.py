"""A context that is a Git repository: `URL#REF:DIRECTORY`, as the builder of Docker Engine takes it.

Which texts name one: api/urlutil of its sources; what of it is taken: builder/remotecontext/git. The `git` program
gets it, one revision deep, with nothing of this host's configuration, no hooks, nobody to ask for a password, and no
protocol but those below, for what the repository refers to neither. Unlike there the newest revision of its own HEAD is
taken where none is named, and the directory `.git`, in which no two clones are alike, is left out.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pyd_core.daemon.images.unpack import UnpackLimits
from pyd_core.daemon.runtime import subprocesses
from pyd_core.errors import InvalidInput, KernelError, Unsupported
from pyd_core.linux.openat2 import RootDirectory

MOST = 4 << 30
"""Bytes of one file that git writes, packs among them."""
LONGEST = 2048
_BY_SSH = re.compile(r"git@(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][\w.-]*)[:/][^:\s-]\S*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_NO_REF = re.compile(r"^[-+./]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|(\.|/|\.lock)$")
"""git-check-ref-format(1), and what would be an option or say more than a name."""


@dataclass(frozen=True)
class Repository:
    """Where a repository is, and what of it is the context.

    Attributes:
        url: What git is told.
        ref: A branch, a tag or the digest of a revision; `HEAD` is the repository's own.
        directory: The directory of the context in it; empty is all.
    """

    PREFIXES: ClassVar[tuple[str, ...]] = ("git://", "git@", "github.com/")

    url: str
    ref: str = "HEAD"
    directory: str = ""

    @classmethod
    def parse(cls, text: str) -> Repository | None:
        """Reads what a client names as context; None where it is no repository.

        Raises:
            InvalidInput: It is one that makes no sense.
        """
        url, _, fragment = text.partition("#")
        by_http = url.startswith(("http://", "https://"))
        if not (text.startswith(cls.PREFIXES) or (by_http and url.endswith(".git"))):
            return None
        if not by_http and not url.startswith(("git://", "git@")):
            url = f"https://{url}"
        if len(text) > LONGEST or not _is_address(url):
            raise InvalidInput(f"{_shown(url)} is no address of a repository")
        ref, _, directory = fragment.partition(":")
        if ref and _NO_REF.search(ref):
            raise InvalidInput(f"invalid refspec: {ref[:100]!r}")
        directory = os.path.normpath(directory.lstrip("/")) if directory else ""
        if "\0" in directory or directory.split("/")[0] == "..":
            raise InvalidInput(f"{directory[:100]!r} is not within the repository")
        return cls(url, ref or "HEAD", "" if directory == "." else directory)

    async def clone(self, into: Path) -> Path:
        """Gets what is named into an empty directory, with its submodules.

        Returns:
            The directory of the context in there.

        Raises:
            InvalidInput: git can't get it, it is too large, or has no such directory.
            Unsupported: git isn't installed.
        """
        await self._git(into, "init", "-q", "--template=")
        await self._git(into, "config", "remote.origin.url", self.url)  # addresses of submodules may be relative to it
        wanted = ("--no-tags", "--", self.url, self.ref)
        try:
            await self._git(into, "fetch", "-q", "--depth=1", *wanted)
        except InvalidInput as error:
            if "shallow" not in str(error):
                raise
            await self._git(into, "fetch", "-q", *wanted)  # a server that knows files alone
        await self._git(into, "ls-tree", "-r", "-l", "-z", "FETCH_HEAD", out=_Measure(self).add)
        await self._git(into, "checkout", "-q", "--detach", "FETCH_HEAD")
        await self._git(into, "submodule", "-q", "update", "--init", "--recursive", "--depth=1")
        shutil.rmtree(into / ".git")
        return self._inside(into)

    async def _git(self, into: Path, *arguments: str, out: subprocesses.Taker | None = None) -> None:
        if shutil.which("git") is None:
            raise Unsupported("git is missing, which gets repositories", hint="apt-get install git", reference="no-git")
        settings = {
            "core.hooksPath": "/dev/null",
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": "60",
            "gc.auto": "0",
        }
        command = ["prlimit", f"--fsize={MOST}", "git"]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        done = await subprocesses.run(
            [*command, *arguments], env=self._environment(), cwd=str(into), out=out, group=True
        )
        if done.code != 0:
            raise InvalidInput(f"{_shown(self.url)}: {self._complaint(done)}")

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_ASKPASS"))}
        by_ssh = ":ssh" if self.url.startswith("git@") else ""  # else the host's keys are nothing of the repository's
        return own | {
            "HOME": "/dev/null",
            "XDG_CONFIG_HOME": "/dev/null",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
            "GIT_ALLOW_PROTOCOL": f"https:http:git{by_ssh}",
        }

    def _complaint(self, done: subprocesses.CompletedProgram) -> str:
        if done.code == -25 or b"signal 25" in done.err:
            return f"larger than the {MOST} bytes that are fetched"
        lines = done.err.decode(errors="replace").replace(self.url, _shown(self.url)).splitlines()
        told = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))] or lines[-1:]
        return f"git: {'; '.join(told)[:500]}"

    def _inside(self, into: Path) -> Path:
        try:
            with RootDirectory(into) as root:
                fd = root.open(self.directory or "/", os.O_PATH | os.O_DIRECTORY)
        except KernelError as error:
            raise InvalidInput(f"the repository has no directory {self.directory[:200]!r}") from error
        try:
            return Path(f"/proc/self/fd/{fd}").readlink()
        finally:
            os.close(fd)


class _Measure:
    """Adds up what `git ls-tree -r -l -z` tells, and gives up at the bounds that archives have too."""

    def __init__(self, repository: Repository) -> None:
        self._shown = _shown(repository.url)
        self._limits = UnpackLimits()
        self._bytes = self._entries = 0
        self._rest = b""

    def add(self, data: bytes) -> None:
        """Takes some more of it; an entry is mode, type, digest and size, a tab, the name and a zero byte."""
        *whole, self._rest = (self._rest + data).split(b"\0")
        for each in whole:
            size = each.partition(b"\t")[0].split()[-1]
            self._entries += 1
            self._bytes += int(size) if size.isdigit() else 0
        if self._bytes > self._limits.bytes or self._entries > self._limits.entries:
            raise InvalidInput(f"{self._shown}: what is in there grows beyond bounds")


def _is_address(url: str) -> bool:
    if url.startswith("git@"):
        return _BY_SSH.fullmatch(url) is not None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return bool(host) and not host.startswith("-") and len(parts.path) > 1 and not _CONTROL.search(url)


def _shown(url: str) -> str:
    """An address without what is a secret in it."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)[:200]
