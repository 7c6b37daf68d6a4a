from collections.abc import Iterator

import pytest

from pyd_core.client.engine_client import EngineClient
from pyd_core.client.frames import STDERR, STDOUT, FrameDecoder, is_framed
from pyd_core.client.transport.base import Duplex, Stream
from pyd_core.errors import Conflict, NotFound
from support.docker import LONE, Docker

SPEAK = "echo one; echo two >&2; echo three"


async def streams(stream: Stream, *, tty: bool = False) -> dict[int, bytes]:
    """All that was printed, by stream; with a terminal all is stdout."""
    data = b"".join([chunk async for chunk in stream.chunks()])
    return split(data, framed=is_framed(stream.headers, tty=tty))


def split(data: bytes, *, framed: bool) -> dict[int, bytes]:
    if not framed:
        return {STDOUT: data}
    heard: dict[int, bytes] = {}
    decoder = FrameDecoder()
    for frame in decoder.feed(data):
        heard[frame.stream] = heard.get(frame.stream, b"") + frame.data
    decoder.close()
    return heard


async def drain(duplex: Duplex) -> bytes:
    heard = b""
    while part := await duplex.read():
        heard += part
    await duplex.aclose()
    return heard


@pytest.fixture
def spoken(corner: Docker, shell: str) -> Iterator[str]:
    """A container that has printed on both streams and ended."""
    name = corner.run("spoken", shell, "sh", "-c", SPEAK, options=LONE)
    corner("wait", name)
    yield name
    corner("rm", "-f", name)


async def test_logs_keep_the_two_streams_apart(engine: EngineClient, spoken: str):
    async with engine.containers.logs(spoken, timestamps=False) as stream:
        assert await streams(stream) == {STDOUT: b"one\nthree\n", STDERR: b"two\n"}
    async with engine.containers.logs(spoken, timestamps=False, tail=2) as stream:
        assert sum(text.count(b"\n") for text in (await streams(stream)).values()) == 2


async def test_each_line_has_its_time(engine: EngineClient, spoken: str):
    async with engine.containers.logs(spoken, stderr=False) as stream:
        lines = (await streams(stream))[STDOUT].splitlines()
    assert [line.split(b" ", 1)[1] for line in lines] == [b"one", b"three"]
    assert all(line[10:11] == b"T" for line in lines)


async def test_a_terminals_output_is_not_framed(engine: EngineClient, corner: Docker, shell: str):
    name = corner.run("tty", shell, "sh", "-c", SPEAK, options=(*LONE, "-t"))
    try:
        corner("wait", name)
        async with engine.containers.logs(name, timestamps=False) as stream:
            assert await streams(stream, tty=True) == {STDOUT: b"one\r\ntwo\r\nthree\r\n"}
    finally:
        corner("rm", "-f", name)


async def test_followed_logs_go_on_until_the_end(engine: EngineClient, corner: Docker, shell: str):
    script = "echo begin; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo end"
    name = corner.run("follow", shell, "sh", "-c", script, options=LONE)
    try:
        decoder, heard = FrameDecoder(), b""
        async with engine.containers.logs(name, follow=True, timestamps=False) as stream:
            async for chunk in stream.chunks():
                heard += b"".join(frame.data for frame in decoder.feed(chunk))
                if heard == b"begin\n":
                    corner("exec", name, "touch", "/tmp/go")
        assert heard == b"begin\nend\n"
    finally:
        corner("rm", "-f", name)


async def test_stats_at_once_and_as_they_come(engine: EngineClient, running: str):
    sample = await engine.containers.stats(running)
    assert sample.pids_stats.current >= 1
    assert sample.cpu_stats.cpu_usage.total_usage > 0
    async with engine.containers.stats_stream(running) as samples:
        first, second = await anext(samples), await anext(samples)
    assert second.read > first.read
    assert second.cpu_stats.system_cpu_usage > first.cpu_stats.system_cpu_usage


async def test_exec_passes_input_on_and_its_end(engine: EngineClient, running: str):
    created = await engine.execs.create(running, ["sh", "-c", "cat; echo err >&2; exit 3"], stdin=True)
    duplex = await engine.execs.start(created)
    await duplex.write(b"to the ")
    await duplex.write(b"end")
    await duplex.close_write()
    framed = is_framed(duplex.headers, tty=False)
    assert split(await drain(duplex), framed=framed) == {STDOUT: b"to the end", STDERR: b"err\n"}
    state = await engine.execs.inspect(created)
    assert (state.running, state.exit_code) == (False, 3)


async def test_exec_carries_megabytes_both_ways(engine: EngineClient, corner: Docker, running: str):
    created = await engine.execs.create(running, ["sh", "-c", "wc -c; head -c 3000000 /dev/zero"], stdin=True)
    duplex = await engine.execs.start(created)
    await duplex.write(b"x" * 2_000_000)
    await duplex.close_write()
    heard = split(await drain(duplex), framed=True)[STDOUT]
    assert heard == b"2000000\n" + bytes(3_000_000)


async def test_exec_with_a_terminal_has_the_size_it_was_given(engine: EngineClient, running: str):
    created = await engine.execs.create(running, ["sh", "-c", "read go; stty size"], stdin=True, tty=True)
    duplex = await engine.execs.start(created, tty=True)
    await engine.execs.resize(created, rows=33, columns=101)
    await duplex.write(b"go\n")
    assert b"33 101\r\n" in await drain(duplex)


async def test_exec_has_the_user_directory_and_environment_asked_for(engine: EngineClient, running: str):
    command = ["sh", "-c", 'echo "$(id -u) $PWD $COLOUR $EXTRA"']
    created = await engine.execs.create(running, command, user="1234", workdir="/tmp", env=["EXTRA=a b"])
    assert split(await drain(await engine.execs.start(created)), framed=True) == {STDOUT: b"1234 /tmp blue a b\n"}


async def test_exec_in_what_does_not_run_is_a_conflict(engine: EngineClient, spoken: str):
    with pytest.raises(Conflict):
        await engine.execs.create(spoken, ["true"])
    with pytest.raises(NotFound):
        await engine.execs.create("no-such-thing", ["true"])


async def test_attached_input_reaches_the_main_process(engine: EngineClient, corner: Docker, shell: str):
    name = corner.create("attach", shell, "cat", options=(*LONE, "-i"))
    try:
        duplex = await engine.containers.attach(name, stdin=True)
        await engine.containers.start(name)
        await duplex.write(b"hello\n")
        await duplex.close_write()
        heard = split(await drain(duplex), framed=is_framed(duplex.headers, tty=False))
        assert heard[STDOUT] == b"hello\n"
    finally:
        corner("rm", "-f", name)


async def test_events_tell_what_happens_and_what_happened(engine: EngineClient, corner: Docker, shell: str):
    filters = {"container": [corner.name("event")], "type": ["container"]}
    async with engine.system.events(filters=filters) as events:
        name = corner.run("event", shell, "sh", "-c", "exit 5", options=LONE)
        seen = [await anext(events)]
        while seen[-1].verb != "die":
            seen.append(await anext(events))
    corner("rm", "-f", name)
    assert [event.verb for event in seen if event.verb in {"create", "start", "die"}] == ["create", "start", "die"]
    assert seen[-1].name == name
    assert seen[-1].exit_code == 5
    assert [event.time_nano for event in seen] == sorted(event.time_nano for event in seen)

    nano = seen[0].time_nano - 1000  # Docker Engine includes the very moment, Podman does not
    since = f"{nano // 10**9}.{nano % 10**9:09d}"
    async with engine.system.events(since=since, filters=filters) as events:
        again = [await anext(events)]
        while again[-1].verb != "die":
            again.append(await anext(events))
    assert [event.verb for event in again][:2] == [event.verb for event in seen][:2]
