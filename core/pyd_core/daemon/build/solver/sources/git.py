"""Git repositories as sources (`git://…`, with the full address in an attribute)."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from pyd_core.daemon.build.interfaces import BuildSession
from pyd_core.daemon.build.repository import Repository
from pyd_core.errors import InvalidInput, NotFound

SCHEME = "git://"
_DEFAULT_TOKEN, _DEFAULT_HEADER = "GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"


@dataclass(frozen=True, kw_only=True)
class GitSource:
    """A revision of a repository."""

    repository: Repository
    keeps_git_directory: bool = False
    checksum: str = ""
    attrs: dict[str, str]

    @classmethod
    def parse(cls, identifier: str, attrs: dict[str, str]) -> GitSource:
        """Parse a source.

        Raises:
            InvalidInput: It is no address of a repository.
        """
        plain, mark, fragment = identifier.partition("#")
        address = attrs.get("git.fullurl") or f"https://{plain.removeprefix(SCHEME)}"
        repository = Repository.from_address(address, fragment if mark else "")
        keeps = attrs.get("git.keepgitdir", "").lower() in {"true", "1"}
        return cls(
            repository=repository, keeps_git_directory=keeps, checksum=attrs.get("git.checksum", ""), attrs=attrs
        )

    async def environment(self, stack: AsyncExitStack, session: BuildSession | None) -> dict[str, str]:
        """Return variables for git: the client's ssh agent and its credentials, which don't appear in arguments."""
        variables: dict[str, str] = {}
        if session is None:
            return variables
        if agent := self.attrs.get("git.mountsshsock", ""):
            with suppress(NotFound):
                variables["SSH_AUTH_SOCK"] = str(await stack.enter_async_context(session.ssh_agent(agent)))
        header = await self._header(session)
        if header:
            variables |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraheader",
                "GIT_CONFIG_VALUE_0": f"Authorization: {header}",
            }
        return variables

    async def _header(self, session: BuildSession) -> str:
        with suppress(NotFound):
            name = self.attrs.get("git.authheadersecret") or _DEFAULT_HEADER
            return (await session.secret(name)).decode(errors="replace").strip()
        token = b""
        with suppress(NotFound):
            token = await session.secret(self.attrs.get("git.authtokensecret") or _DEFAULT_TOKEN)
        if not token:
            return ""
        return f"basic {base64.b64encode(b'x-access-token:' + token.strip()).decode()}"

    async def resolve(self, variables: dict[str, str]) -> str:
        """Return the revision that the reference means now.

        Raises:
            InvalidInput: There is none, or it isn't the expected one.
        """
        revision = await self.repository.resolve(variables)
        if self.checksum and not revision.startswith(self.checksum):
            raise InvalidInput(f"expected revision {self.checksum[:60]} of {self.repository.shown}, got {revision}")
        return revision

    async def fetch(self, into: Path, variables: dict[str, str]) -> Path:
        """Clone into an empty directory and return the directory of the part that was asked for.

        Raises:
            InvalidInput: git can't fetch it.
        """
        return await self.repository.clone(into, keeps_git_directory=self.keeps_git_directory, variables=variables)
