"""A remote engine through a real ssh server on localhost."""

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.client.frames import STDOUT, FrameDecoder
from pyd_core.errors import EngineUnavailable, PydError, Refused
from support.docker import LONE, Docker
from support.missing import missing
from support.sshd import Sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        missing("openssh-server")
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of the sockets, to check that none is left."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, sshd: Sshd) -> Iterator[Sshd]:
    """A server that forwards no sockets, so that each stream needs a session."""
    with Sshd(tmp_path_factory.mktemp("strict"), options={"AllowStreamLocalForwarding": "no"}) as server:
        yield server


@pytest.fixture(params=["sshd", "strict"])
async def remote(
    runtime: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[EngineClient]:
    """The Docker Engine, reached both ways."""
    async with reach(request.getfixturevalue(request.param), monkeypatch) as engine:
        yield engine


@asynccontextmanager
async def reach(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch, *, path: str = "", client: str = ""
) -> AsyncIterator[EngineClient]:
    monkeypatch.setenv("PYD_SSH", client or sshd.client)
    async with open_engine(Endpoint(url=f"{sshd.url}{path}")) as engine:
        yield engine


async def failure(sshd: Sshd, monkeypatch: pytest.MonkeyPatch, *, path: str = "", client: str = "") -> PydError:
    async with reach(sshd, monkeypatch, path=path, client=client) as engine:
        with pytest.raises(PydError) as caught:
            await engine.containers.list()
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


async def test_lists_and_exec_with_half_closed_input(remote: EngineClient, docker: Docker, busybox: str, runtime: Path):
    name = docker.run("ssh", busybox, "sleep", "600", options=LONE)
    try:
        assert name in {result.name for result in await remote.containers.list()}
        created = await remote.execs.create(name, ["sh", "-c", "wc -c; exit 4"], stdin=True)
        duplex = await remote.execs.start(created)
        await duplex.write(b"x" * 1_000_000)
        await duplex.close_write()
        heard = b""
        while part := await duplex.read():
            heard += part
        await duplex.aclose()
        assert [frame.data for frame in FrameDecoder().feed(heard)] == [b"1000000\n"]
        assert (await remote.execs.inspect(created)).exit_code == 4
    finally:
        docker("rm", "-f", name)
    await remote.aclose()
    assert os.listdir(runtime) == []  # noqa: PTH208 - a pathlib listing counts as blocking, this does not


async def test_thirty_logs_followed_at_once_over_one_connection(
    sshd: Sshd, docker: Docker, busybox: str, runtime: Path, monkeypatch: pytest.MonkeyPatch
):
    name = docker.run("ssh30", busybox, "sh", "-c", "echo begin; read x; echo end", options=(*LONE, "-i"))
    begun: asyncio.Queue[int] = asyncio.Queue()

    async def follow(engine: EngineClient, number: int) -> bytes:
        decoder, heard = FrameDecoder(), b""
        async with engine.containers.logs(name, follow=True, timestamps=False) as stream:
            async for chunk in stream.chunks():
                heard += b"".join(frame.data for frame in decoder.feed(chunk) if frame.stream == STDOUT)
                begun.put_nowait(number)
        return heard

    try:
        async with reach(sshd, monkeypatch) as engine, asyncio.TaskGroup() as group:
            follows = [group.create_task(follow(engine, number)) for number in range(30)]
            seen: set[int] = set()
            while len(seen) < 30:
                seen.add(await begun.get())
            attached = await engine.containers.attach(name, stdin=True)
            await attached.write(b"go\n")
            heard = await asyncio.gather(*follows)
            await attached.aclose()
        assert set(heard) == {b"begin\nend\n"}
    finally:
        docker("rm", "-f", name)


async def test_more_streams_than_sessions_are_refused_with_the_reason(
    strict: Sshd, docker: Docker, runtime: Path, monkeypatch: pytest.MonkeyPatch
):
    async with reach(strict, monkeypatch) as engine, AsyncExitStack() as held:
        for _ in range(9):  # one more carries the connection kept for requests
            await held.enter_async_context(engine.system.events())
        with pytest.raises(Refused, match="MaxSessions"):
            await asyncio.gather(*(held.enter_async_context(engine.system.events()) for _ in range(2)))


async def test_the_connection_comes_back_after_ssh_dies(
    sshd: Sshd, docker: Docker, runtime: Path, monkeypatch: pytest.MonkeyPatch
):
    async with reach(sshd, monkeypatch) as engine:
        await engine.system.version()
        transport = engine.api.transport
        master = transport._tunnel._master  # type: ignore[attr-defined]
        master.kill()
        await master.wait()
        assert (await engine.system.version()).version


def test_ssh_ends_when_pyd_is_killed(sshd: Sshd, docker: Docker, runtime: Path):
    code = (
        "import asyncio, sys\n"
        "from pyd_core.client.connect import open_engine\n"
        "from pyd_core.client.endpoint import Endpoint\n"
        "async def main():\n"
        "    engine = open_engine(Endpoint(url=sys.argv[1]))\n"
        "    await engine.system.version()\n"
        "    print(engine.api.transport._tunnel._master.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    environ = {**os.environ, "PYD_SSH": sshd.client}
    with subprocess.Popen([sys.executable, "-c", code, sshd.url], stdout=subprocess.PIPE, env=environ) as child:
        assert child.stdout is not None
        ssh = os.pidfd_open(int(child.stdout.readline()))
        try:
            child.send_signal(signal.SIGKILL)
            child.wait()
            assert wait_for_end(ssh)
        finally:
            os.close(ssh)


def wait_for_end(pidfd: int) -> bool:
    """A pidfd becomes readable when its process ends."""
    return bool(select.select([pidfd], [], [], 30)[0])


async def test_a_named_socket_is_used(sshd: Sshd, docker: Docker, runtime: Path, monkeypatch: pytest.MonkeyPatch):
    async with reach(sshd, monkeypatch, path="/var/run/docker.sock") as engine:
        assert (await engine.system.version()).version


async def test_a_named_socket_that_is_not_there(sshd: Sshd, runtime: Path, monkeypatch: pytest.MonkeyPatch):
    error = await failure(sshd, monkeypatch, path="/run/none'; exit 0 #.sock")
    assert error.reference == "ssh-no-engine"


async def test_an_unknown_host_key(sshd: Sshd, runtime: Path, monkeypatch: pytest.MonkeyPatch):
    error = await failure(sshd, monkeypatch, client=sshd.configure(UserKnownHostsFile="/dev/null"))
    assert error.reference == "ssh-host-key-unknown"


async def test_a_changed_host_key(sshd: Sshd, runtime: Path, monkeypatch: pytest.MonkeyPatch):
    known = sshd.directory / "changed"
    known.write_text(f"[127.0.0.1]:{sshd.port} {(sshd.directory / 'user.pub').read_text()}")
    error = await failure(sshd, monkeypatch, client=sshd.configure(UserKnownHostsFile=str(known)))
    assert error.reference == "ssh-host-key-changed"


async def test_a_key_the_server_does_not_know(sshd: Sshd, runtime: Path, monkeypatch: pytest.MonkeyPatch):
    error = await failure(sshd, monkeypatch, client=sshd.configure(IdentityFile=str(sshd.directory / "host")))
    assert error.reference == "ssh-authentication"


async def test_nobody_listens(sshd: Sshd, runtime: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_SSH", sshd.client)
    async with open_engine(Endpoint(url="ssh://127.0.0.1:1")) as engine:
        with pytest.raises(EngineUnavailable) as caught:
            await engine.containers.list()
    assert caught.value.reference == "ssh-unreachable"
    assert os.listdir(runtime) == []  # noqa: PTH208 - a pathlib listing counts as blocking, this does not


async def test_no_ssh_installed(runtime: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYD_SSH", "/no/such/ssh")
    async with open_engine(Endpoint(url="ssh://host")) as engine:
        with pytest.raises(EngineUnavailable) as caught:
            await engine.containers.list()
    assert caught.value.reference == "ssh-missing"
