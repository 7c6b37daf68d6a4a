from __future__ import annotations

import pytest

from pyd_core.cri.proto.mount_pb2 import Mount
from pyd_core.cri.snapshot_mounts import graph_of
from pyd_core.errors import Unsupported
from support.scripted_containerd import overlay


def test_the_containers_own_directory_is_above_its_images():
    graph = graph_of([overlay("/s/19/fs", "/s/8/fs", upper="/s/20/fs")], "overlayfs")
    assert graph.name == "overlayfs"
    assert graph.data == {"UpperDir": "/s/20/fs", "LowerDir": "/s/19/fs:/s/8/fs"}


def test_a_view_has_the_topmost_layer_in_place_of_the_containers_own():
    assert graph_of([overlay("/s/3/fs", "/s/2/fs")], "overlayfs").data == {
        "UpperDir": "/s/3/fs",
        "LowerDir": "/s/2/fs",
    }


def test_a_single_layer_is_a_bind_mount():
    mount = Mount(type="bind", source="/s/8/fs", options=["ro", "rbind"])
    assert graph_of([mount], "overlayfs").data == {"UpperDir": "/s/8/fs", "LowerDir": ""}


@pytest.mark.parametrize(
    "mounts",
    [
        [],
        [overlay("/a", "/b"), overlay("/c")],
        [Mount(type="erofs", source="/layer.erofs", options=["ro"])],
        [Mount(type="bind", source="relative", options=["ro"])],
        [Mount(type="bind", source="/s/../../etc", options=["ro"])],
        [Mount(type="overlay", options=["lowerdir=/a:"])],
        [Mount(type="overlay", options=["upperdir=,lowerdir=/a"])],
        [Mount(type="overlay", options=["upperdir=/a"])],
        [Mount(type="overlay", options=["lowerdir=/a:/b", "userxattr"])],
        [Mount(type="overlay", options=["lowerdir=/a:/b", "uidmap=0:1000:65536"])],
        [Mount(type="overlay", options=["lowerdir=/a:/b", "metacopy=on"])],
    ],
)
def test_what_is_no_plain_stack_of_directories_is_refused(mounts: list[Mount]):
    with pytest.raises(Unsupported):
        graph_of(mounts, "overlayfs")
