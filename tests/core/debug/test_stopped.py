"""Planning sessions in what doesn't run: layers, mounts, rights, users, and what becomes of changes."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from pyd_core.debug.helper.stand_in import program_archive
from pyd_core.debug.sessions.credentials import mask
from pyd_core.debug.stopped.apply import choose, find_conflicts
from pyd_core.debug.stopped.archive import write_archive
from pyd_core.debug.stopped.changes import ChangedPath, find_changes
from pyd_core.debug.stopped.plan import RUNTIME_CAPABILITIES, PlannedMount, capabilities, find_layers, plan_stage
from pyd_core.debug.stopped.save import check_name
from pyd_core.debug.stopped.user import resolve_user
from pyd_core.errors import InvalidInput, NotFound, Unsupported
from pyd_core.model.container import Container, GraphDriver, MountPoint
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.host_config import HostConfig

FILES = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/srv:\nbroken:x:a:b::/:\n12:x:7:8::/:\n",
    "/etc/group": "extra:x:55:a,web\nstaff:x:50:\nbroken:x:z:web\nshort\n",
}


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ("", (0, 0, ())),
        ("1000", (1000, 0, ())),
        ("1000:7", (1000, 7, ())),
        ("web", (33, 44, (55,))),
        ("web:staff", (33, 50, ())),
        ("33", (33, 44, (55,))),
        ("12", (7, 8, ())),
        (":5", (0, 5, ())),
    ],
)
def test_users_are_resolved_as_runtimes_do(configured: str, expected: tuple[int, int, tuple[int, ...]]):
    assert resolve_user(configured, lambda path: FILES.get(path, "")) == expected


@pytest.mark.parametrize("configured", ["ghost", "web:ghost", "broken", "-1", "1.5"])
def test_users_that_are_nowhere_are_not_guessed(configured: str):
    with pytest.raises(LookupError):
        resolve_user(configured, lambda path: FILES.get(path, ""))


def test_capabilities_follow_the_configuration():
    assert capabilities(HostConfig()) == RUNTIME_CAPABILITIES
    assert capabilities(HostConfig(cap_drop=["ALL"])) == 0
    assert capabilities(HostConfig(cap_drop=["all"], cap_add=["CAP_KILL", "net_raw"])) == mask("kill", "net_raw")
    assert capabilities(HostConfig(cap_add=["SYS_ADMIN", "NO_SUCH"])) == RUNTIME_CAPABILITIES | mask("sys_admin")
    assert capabilities(HostConfig(cap_drop=["KILL"])) == RUNTIME_CAPABILITIES & ~mask("kill")
    assert capabilities(HostConfig(privileged=True)) & mask("sys_admin", "bpf")


def test_the_containers_own_layer_is_above_its_images(tmp_path: Path):
    for name in ("own", "init", "base"):
        (tmp_path / name).mkdir()
    lower = f"{tmp_path}/init:{tmp_path}/base"
    graph = GraphDriver(name="overlay2", data={"UpperDir": f"{tmp_path}/own", "LowerDir": lower})
    assert find_layers(graph, "web") == (f"{tmp_path}/own", f"{tmp_path}/init", f"{tmp_path}/base")


@pytest.mark.parametrize(
    "data", [{}, {"UpperDir": "/no/such"}, {"UpperDir": "etc"}, {"UpperDir": "", "LowerDir": "/etc"}]
)
def test_layers_that_are_not_on_this_machine_are_told(data: dict[str, str]):
    with pytest.raises(Unsupported):
        find_layers(GraphDriver(name="overlay2", data=data), "web")


def test_mounts_are_read_only_unless_both_the_container_and_the_user_write():
    points = [
        MountPoint(type="bind", source="/a", destination="/x/y", rw=True),
        MountPoint(type="volume", source="/b", destination="/x", rw=False),
        MountPoint(type="tmpfs", destination="/t"),
        MountPoint(type="bind", source="relative", destination="/z"),
        MountPoint(type="bind", source="/a", destination="relative"),
    ]
    container = Container(id="c", mounts=points, host_config=HostConfig(tmpfs={"/t": "", "/u": "size=1m"}))

    def planned(*, writable: bool) -> tuple[PlannedMount, ...]:
        stage = plan_stage(container, ("/l",), toolbox="/t", memory=1, writable_volumes=writable, network="")
        return stage.mounts

    assert [(mount.destination, mount.source, mount.writable) for mount in planned(writable=True)] == [
        ("/x", "/b", False),
        ("/t", "", True),
        ("/u", "", True),
        ("/x/y", "/a", True),
    ]
    assert [mount.writable for mount in planned(writable=False)] == [False, True, True, False]


def test_no_new_privileges_is_taken_over():
    for option, expected in (("no-new-privileges", True), ("no-new-privileges:false", False), ("seccomp=x", False)):
        container = Container(id="c", config=ContainerConfig(), host_config=HostConfig(security_opt=[option]))
        stage = plan_stage(container, ("/l",), toolbox="/t", memory=1, writable_volumes=False, network="")
        assert stage.no_new_privileges is expected


def changed(*lines: str) -> list[ChangedPath]:
    return [ChangedPath(kind=line[0], path=line[2:]) for line in lines]


def test_chosen_paths_bring_the_new_folders_they_lie_in():
    changes = changed("A /new", "A /new/below", "A /new/below/file", "A /new/other", "C /etc/conf", "D /etc/gone")
    assert choose(changes, ["/new/below/file"]) == changed("A /new", "A /new/below", "A /new/below/file")
    assert choose(changes, ["etc//"]) == changed("C /etc/conf", "D /etc/gone")
    assert choose(changes, ["/"]) == choose(changes, []) == changes
    with pytest.raises(NotFound):
        choose(changes, ["/etc/con"])


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("web", "web:latest"),
        ("web:fixed", "web:fixed"),
        ("reg:5000/a/web", "reg:5000/a/web:latest"),
        ("a/b:1", "a/b:1"),
    ],
)
def test_image_names_get_a_tag(name: str, full: str):
    assert check_name(name) == full


@pytest.mark.parametrize("name", ["", "Web", "a b", "web:", "web:a:b", "x@sha256:0", "/", "a/", "wéb"])
def test_names_no_image_can_have_are_refused(name: str):
    with pytest.raises(InvalidInput):
        check_name(name)


def test_files_are_compared_by_what_can_be_seen_of_them(tmp_path: Path):
    upper, before = tmp_path / "upper", tmp_path / "before"
    for side in (upper, before):
        (side / "etc").mkdir(parents=True)
        for name in ("same", "longer", "later", "mode"):
            (side / "etc" / name).write_text(name)
            os.utime(side / "etc" / name, ns=(0, 0))
        (side / "etc/link").symlink_to("same")
        (side / "etc/points").symlink_to("a" if side == upper else "b")
    (upper / "etc/longer").write_text("longer than before")
    os.utime(upper / "etc/later", ns=(0, 1))
    (upper / "etc/mode").chmod(0o600)
    (upper / "etc/new").mkdir()
    (upper / "mount").mkdir()
    descriptors = [os.open(side, os.O_RDONLY) for side in (upper, before)]
    try:
        changes = find_changes(*descriptors, created=["/mount"])
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    expected = changed("C /etc/later", "C /etc/longer", "C /etc/mode", "A /etc/new", "C /etc/points")
    assert [(change.kind, change.path) for change in changes] == [(change.kind, change.path) for change in expected]


def test_only_what_the_container_changed_later_is_a_conflict(tmp_path: Path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/old").write_text("")
    (tmp_path / "away").symlink_to("/etc")
    began = max((tmp_path / name).lstat().st_ctime_ns for name in ("etc", "etc/old", "away"))
    changes = changed("C /etc/old", "A /etc/new", "A /away/passwd", "C /usr/x")
    assert find_conflicts(changes, str(tmp_path), began) == []
    assert find_conflicts(changes, str(tmp_path), began - 1) != []
    assert "/usr/x" not in find_conflicts(changes, str(tmp_path), 0)


def test_archives_for_an_engine_end_with_their_two_empty_blocks(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"x" * 700)
    upper, out = os.open(tmp_path, os.O_RDONLY), io.BytesIO()
    try:
        write_archive(changed("A /file"), upper, out, whiteouts=True)
    finally:
        os.close(upper)
    for archive in (out.getvalue(), program_archive(os.uname().machine)):
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            (member,) = tar.getmembers()
            end = member.offset_data + -(-member.size // 512) * 512
        assert archive[end:] == bytes(1024)
