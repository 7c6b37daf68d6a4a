"""Tests of the names of containers' control groups."""

from __future__ import annotations

import pytest

from pyd_core.linux.cgroup_names import group_named, is_member

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("path", "group"),
    [
        (f"/docker/{ID}", f"/docker/{ID}"),
        (f"/system.slice/docker-{ID}.scope", f"/system.slice/docker-{ID}.scope"),
        (f"/user.slice/libpod-{ID}.scope/container", f"/user.slice/libpod-{ID}.scope"),
        (f"/libpod_parent/libpod-{ID}", f"/libpod_parent/libpod-{ID}"),
        (f"/docker/{ID}/init.scope/x", f"/docker/{ID}"),
        (f"/k8s.io/{ID}", f"/k8s.io/{ID}"),
        (f"/kubepods.slice/cri-containerd-{ID}.scope", f"/kubepods.slice/cri-containerd-{ID}.scope"),
        (f"/../cri-containerd-{ID}.scope", f"/../cri-containerd-{ID}.scope"),
        (f"/kubepods/besteffort/pod1/crio-{ID}", f"/kubepods/besteffort/pod1/crio-{ID}"),
        (f"/system.slice/pod1.slice:cri-containerd:{ID}", f"/system.slice/pod1.slice:cri-containerd:{ID}"),
        ("/", None),
        ("", None),
        ("/docker/other", None),
        (f"/libpod_parent/libpod-conmon-{ID}.scope", None),
        (f"/kubepods.slice/crio-conmon-{ID}.scope", None),
        (f"/docker/{ID}0", None),
        (f"/docker/0{ID}", None),
        (f"/docker/{ID}.slice", None),
        (f"/system.slice/pod1.slice:conmon:{ID}", None),
        (f"/system.slice/cri-containerd:{ID}", None),
    ],
)
def test_a_containers_group_is_named_by_its_id(path: str, group: str | None):
    assert group_named(path, ID) == group


@pytest.mark.parametrize("other", ["web2", "my-web", "web-1", "webweb", "a.web", "web.slice", "x:web", "docker-web-1"])
def test_a_short_id_that_is_a_part_of_anothers_names_no_group_of_it(other: str):
    for path in (f"/default/{other}", f"/system.slice/docker-{other}.scope", f"/x/libpod-{other}", f"/{other}/below"):
        assert group_named(path, "web") is None
    assert group_named("/default/web", "web") == "/default/web"


@pytest.mark.parametrize("identity", ["", "/", "docker/web", ".scope"])
def test_an_id_that_is_no_name_has_no_group(identity: str):
    for path in ("/docker/web", "/system.slice/docker-.scope", "/", "//", ""):
        assert group_named(path, identity) is None


def test_a_process_is_a_member_by_the_path_of_any_hierarchy():
    lines = f"12:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/\n0::/\n"
    assert is_member(lines, ID)
    assert is_member(f"0::/a:b/docker-{ID}.scope/x\n", ID)
    assert not is_member(lines, ID[1:])
    assert not is_member(lines, "cpuacct")
    assert not is_member(f"1:name={ID}:/\n", ID)
    assert not is_member(f"damaged {ID}\n\n", ID)
    assert not is_member(lines, "")
