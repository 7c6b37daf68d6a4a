from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
from pyd_core.buildkit.proto.fsutil_wire_pb2 import Packet
from pyd_core.daemon.build.interfaces import SyncedEntry
from pyd_core.daemon.build.session.file_modes import from_go, to_go
from pyd_core.daemon.build.session.tree_receiver import MAX_GROWTH_BYTES, TreeReceiver
from pyd_core.errors import EngineError, InvalidInput

DIRECTORY, LINK = 1 << 31, 1 << 27
TIME = 1_500_000_000_123_456_789
DIGEST_OF_HELLO = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def announced(path: str, mode: int = 0o644, **fields: object) -> Packet:
    values = {"uid": os.getuid(), "gid": os.getgid(), "modTime": TIME, **fields}
    return Packet(type=Packet.PACKET_STAT, stat=Stat(path=path, mode=mode, **values))  # type: ignore[arg-type]


def data(number: int, *pieces: bytes) -> list[Packet]:
    return [Packet(type=Packet.PACKET_DATA, ID=number, data=piece) for piece in (*pieces, b"")]


END = Packet(type=Packet.PACKET_STAT)
FIN = Packet(type=Packet.PACKET_FIN)


class Directory:
    """A kept directory and its state."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_PATH | os.O_DIRECTORY)
        self.entries: Mapping[str, SyncedEntry] | None = None

    def receive(self, *packets: Packet | list[Packet]) -> list[int]:
        """Receive packets and return the numbers of the files that were requested."""
        receiver = TreeReceiver(self.fd, self.entries)
        try:
            flat = [item for packet in packets for item in (packet if isinstance(packet, list) else [packet])]
            responses = [response for packet in flat for response in receiver.handle([packet])]
            assert responses[-1:] == [FIN]
            receiver.handle([FIN])
            assert receiver.complete
        finally:
            receiver.close()
        self.entries = receiver.entries
        return [response.ID for response in responses if response.type == Packet.PACKET_REQ]

    def shown(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.path)): str(path.readlink()) if path.is_symlink() else path.read_text()
            for path in sorted(self.path.rglob("*"))
            if path.is_symlink() or path.is_file()
        }


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    kept = tmp_path / "kept"
    kept.mkdir()
    directory = Directory(kept)
    yield directory
    os.close(directory.fd)


def test_a_first_transfer_requests_all_files_and_sets_their_attributes(directory: Directory):
    (directory.path / "left-over").write_text("from a failed transfer")
    requested = directory.receive(
        announced("a", DIRECTORY | 0o750),
        announced("a/one", 0o640, size=5),
        announced("a/two", 1 << 23 | 0o755, size=0),
        announced("link", LINK | 0o777, linkname="/etc/passwd"),
        announced("zwei", 0o600, size=10, linkname="a/one"),
        END,
        data(1, b"hel", b"lo"),
        data(2),
    )
    assert requested == [1, 2]
    assert directory.shown() == {"a/one": "hello", "a/two": "", "link": "/etc/passwd", "zwei": "hello"}
    info = (directory.path / "a/one").stat()
    assert (info.st_mtime_ns, stat.S_IMODE(info.st_mode), info.st_nlink) == (TIME, 0o640, 2)
    assert stat.S_IMODE((directory.path / "a/two").stat().st_mode) == 0o4755
    assert (directory.path / "a").stat().st_mtime_ns == TIME
    assert directory.entries is not None
    assert directory.entries["a/one"].digest == directory.entries["zwei"].digest == DIGEST_OF_HELLO


def test_a_later_transfer_requests_only_what_changed_and_removes_what_is_gone(directory: Directory):
    directory.receive(
        announced("a", DIRECTORY | 0o755),
        announced("a/b", DIRECTORY | 0o755),
        announced("a/b/c", size=1),
        announced("kept", size=1),
        announced("touched", size=1),
        announced("x", size=1),
        END,
        *(data(number, b"1") for number in (2, 3, 4, 5)),
    )
    requested = directory.receive(
        announced("a", size=1),
        announced("kept", size=1),
        announced("touched", size=1, modTime=TIME + 1),
        announced("x", DIRECTORY | 0o755),
        announced("x/y", LINK | 0o777, linkname="../kept"),
        END,
        data(0, b"2"),
        data(2, b"3"),
    )
    assert requested == [0, 2]
    assert directory.shown() == {"a": "2", "kept": "1", "touched": "3", "x/y": "../kept"}
    assert (
        directory.receive(
            announced("a", size=1),
            announced("kept", size=1),
            announced("touched", size=1, modTime=TIME + 1),
            announced("x", DIRECTORY | 0o755),
            announced("x/y", LINK | 0o777, linkname="../kept"),
            END,
        )
        == []
    )
    assert directory.receive(END) == []
    assert directory.shown() == {}


def test_a_hard_link_follows_its_file(directory: Directory):
    directory.receive(announced("a", size=1), announced("b", size=1, linkname="a"), END, data(0, b"1"))
    directory.receive(announced("a", size=1, modTime=1), announced("b", size=1, linkname="a"), END, data(0, b"2"))
    assert directory.shown() == {"a": "2", "b": "2"}
    assert directory.entries is not None
    assert directory.entries["a"].digest == directory.entries["b"].digest


def test_a_file_that_shrinks_or_grows_is_written_over(directory: Directory):
    directory.receive(announced("a", 0o755, size=5), announced("b", size=1), END, data(0, b"hel", b"lo"), data(1, b"1"))
    before = (directory.path / "a").stat().st_ino
    directory.receive(announced("a", size=1), announced("b", size=4), END, data(0, b"1"), data(1, b"22", b"22"))
    assert directory.shown() == {"a": "1", "b": "2222"}
    info = (directory.path / "a").stat()
    assert (info.st_ino, stat.S_IMODE(info.st_mode), info.st_mtime_ns) == (before, 0o644, TIME)


def test_a_file_with_another_name_outside_is_not_written_over(directory: Directory, tmp_path: Path):
    directory.receive(announced("a", size=5), END, data(0, b"hello"))
    (tmp_path / "other").hardlink_to(directory.path / "a")
    directory.receive(announced("a", size=1), END, data(0, b"1"))
    assert (directory.shown(), (tmp_path / "other").read_text()) == ({"a": "1"}, "hello")


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a/../x", "", ".", "..", "a//b", "./a", "a/", "a\0b", "n" * 256, "d/" * 2048 + "x"]
)
def test_a_path_that_leads_elsewhere_is_refused(directory: Directory, path: str):
    with pytest.raises(InvalidInput):
        directory.receive(announced("a", DIRECTORY | 0o755), announced(path, size=1), END)
    assert directory.shown() == {}


def test_a_file_below_a_link_is_refused(directory: Directory, tmp_path: Path):
    with pytest.raises(InvalidInput):
        directory.receive(announced("a", LINK | 0o777, linkname=str(tmp_path)), announced("a/x", size=1), END)
    assert not (tmp_path / "x").exists()


def test_a_link_of_an_earlier_build_is_replaced_and_not_followed(directory: Directory, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    directory.receive(announced("a", LINK | 0o777, linkname=str(outside)), END)
    directory.receive(announced("a", DIRECTORY | 0o755), announced("a/x", size=1), END, data(1, b"1"))
    assert list(outside.iterdir()) == []
    assert directory.shown() == {"a/x": "1"}


@pytest.mark.parametrize("target", ["missing", "d", "link", "/etc/passwd", "../kept/a"])
def test_a_hard_link_to_what_is_no_file_of_the_transfer_is_refused(directory: Directory, target: str):
    with pytest.raises(InvalidInput):
        directory.receive(
            announced("a", size=1),
            announced("d", DIRECTORY | 0o755),
            announced("hard", linkname=target),
            announced("link", LINK | 0o777, linkname="a"),
            END,
            data(0, b"1"),
        )


@pytest.mark.parametrize(
    "packets",
    [
        data(7, b"x"),
        [announced("a", DIRECTORY | 0o755), *data(0, b"x")],
        [announced("a", size=1), END, *data(0, b"1"), *data(0, b"2")],
        [announced("a", size=1), announced("a", size=1)],
        [END, announced("late", size=1)],
        [announced("a", size=1), FIN],
        [announced("a", size=-1)],
        [announced("a", LINK | 0o777)],
        [announced("a", 1 << 26 | 0o600, devmajor=1 << 40)],
        [announced("a", xattrs={f"user.{number}": b"" for number in range(100)})],
    ],
    ids=[
        "unknown",
        "directory",
        "twice",
        "same-path",
        "late",
        "early-end",
        "negative",
        "empty-link",
        "device",
        "xattrs",
    ],
)
def test_packets_out_of_turn_are_refused(directory: Directory, packets: list[Packet]):
    with pytest.raises(InvalidInput):
        directory.receive(packets)


def test_an_endless_file_is_refused(directory: Directory):
    receiver = TreeReceiver(directory.fd, None)
    receiver.handle([announced("a", size=3), END])
    pieces = [Packet(type=Packet.PACKET_DATA, ID=0, data=bytes(1 << 20))] * (MAX_GROWTH_BYTES // (1 << 20) + 2)
    try:
        with pytest.raises(InvalidInput, match="more of 'a' than"):
            receiver.handle(pieces)
    finally:
        receiver.close()


def test_overlay_attributes_of_a_client_are_not_set(directory: Directory):
    directory.receive(announced("a", DIRECTORY | 0o755, xattrs={"trusted.overlay.opaque": b"y"}), END)
    assert directory.entries is not None
    assert directory.entries["a"].xattrs == {}
    assert os.listxattr(directory.path / "a") == []


def test_an_error_of_the_client_is_reported_without_control_sequences(directory: Directory):
    with pytest.raises(EngineError) as caught:
        directory.receive([Packet(type=Packet.PACKET_ERR, data=b"no \x1b[31mfile")])
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("mode", [0o100644, 0o104755, 0o041777, 0o120777, 0o010600, 0o020666, 0o060660, 0o042750])
def test_modes_survive_go(mode: int):
    assert from_go(to_go(mode)) == mode
