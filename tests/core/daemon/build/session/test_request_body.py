"""The body of a request as an upload, and the client's session behind it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Never

import pytest

from pyd_core.daemon.build.session.request_body import RequestBodySession, received_body
from pyd_core.daemon.build.solver.sources.unpacked import UnpackedContext
from pyd_core.errors import NotFound, Unsupported


async def test_the_body_is_read_under_its_digest_and_under_no_other_name(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"x" * (3 << 20))
    body = received_body(file)
    assert body.digest == f"sha256:{hashlib.sha256(b'x' * (3 << 20)).hexdigest()}"
    session = RequestBodySession(body, None)
    async with session.upload(body.digest) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == file.read_bytes()
    with pytest.raises(NotFound):
        async with session.upload("sha256:" + "0" * 64):
            pass


async def test_without_a_client_there_are_no_secrets_files_or_credentials(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.touch()
    session = RequestBodySession(received_body(file), None)
    assert await session.credentials("example.org") is None
    with pytest.raises(NotFound):
        await session.secret("token")
    with pytest.raises(Unsupported):
        await session.sync_directory(name="context", destination_fd=0)
    with pytest.raises(Unsupported):
        session.ssh_agent("default")


async def test_uploads_of_the_client_are_refused(tmp_path: Path) -> None:
    """Otherwise a client could put its content under the digest of another, for all builds."""
    file = tmp_path / "body"
    file.touch()

    class Poisonous(UnpackedContext):
        def upload(self, path: str) -> Never:
            raise AssertionError(path)

    session = RequestBodySession(received_body(file), Poisonous(tmp_path))
    with pytest.raises(NotFound, match="this build has no upload"):
        async with session.upload("sha256:" + "1" * 64):
            pass
