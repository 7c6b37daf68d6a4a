"""Images on a node: listed, inspected, entered and removed, over its CRI and over containerd's own services."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.node.containerd import IMAGE, Containerd
from support.node.images import write_image
from support.pyd import Run
from support.terminal import Terminal

OTHER = "docker.io/pyd/other:2"


@pytest.fixture
def other(node: Containerd, tmp_path: Path) -> Iterator[str]:
    """An image more in both namespaces, with a file of its own."""
    write_image(tmp_path / "other.tar", OTHER, {"etc/note": b"from the image\n"})
    for namespace in ("default", "k8s.io"):
        node.ctr("images", "import", str(tmp_path / "other.tar"), namespace=namespace)
    yield OTHER
    for namespace in ("default", "k8s.io"):
        left = node.ctr("images", "ls", "-q", f"name~={OTHER}", namespace=namespace).split()
        if left:
            node.ctr("images", "rm", *left, namespace=namespace)


@pytest.fixture(params=["cri", "containerd"])
def by(request: pytest.FixtureRequest, pyd: Run, pyd_on: Callable[[str], Run]) -> Run:
    return pyd if request.param == "cri" else pyd_on("k8s.io")


def test_lists_inspects_and_shows_the_layers_of_images(by: Run, other: str):
    entries = {tag: entry for entry in json.loads(by("images", "--json").stdout) for tag in entry["RepoTags"]}
    assert {IMAGE, OTHER} <= set(entries)
    assert entries[OTHER]["Size"] > Path("/bin/busybox").stat().st_size
    (image,) = json.loads(by("image", "inspect", "pyd/other:2").stdout)
    assert image["Config"]["Env"] == ["PATH=/bin", "COLOUR=green"]
    assert len(image["RootFS"]["Layers"]) == 1
    assert image["GraphDriver"]["Name"] == "overlayfs"
    (step,) = json.loads(by("--json", "image", "history", OTHER).stdout)
    assert step["CreatedBy"] == "busybox"
    assert step["Size"] > Path("/bin/busybox").stat().st_size
    missing = by("image", "inspect", "nothing")
    assert (missing.returncode, "no such image" in missing.stderr) == (1, True)


def test_enters_an_image_under_a_lease_that_ends(by: Run, node: Containerd, other: str):
    seen = by("debug", f"image:{other}", "-c", "cat /etc/note; ls -d /dev/.pyd/bin")
    assert seen.stdout.splitlines() == ["from the image", "/dev/.pyd/bin"], seen.stderr
    assert "copied" not in seen.stderr
    assert "pyd" not in node.ctr("leases", "ls", namespace="k8s.io")


def test_removes_an_image_with_its_content_unless_a_container_uses_it(by: Run, node: Containerd, other: str):
    node.container(node.pod("web"), "web", "app", ["sleep", "1000"])
    used = by("rmi", IMAGE)
    assert (used.returncode, "is used by shop/web/app" in used.stderr) == (1, True)
    refused = by("--read-only", "rmi", other)
    assert "read-only" in refused.stderr
    assert other in node.ctr("images", "ls", "-q", namespace="k8s.io")
    done = by("rmi", other)
    assert f"Untagged: {other}" in done.stdout, done.stderr
    assert "Deleted: sha256:" in done.stdout
    assert other not in node.ctr("images", "ls", "-q", namespace="k8s.io")
    assert IMAGE in node.ctr("images", "ls", "-q", namespace="k8s.io")


def test_one_of_several_names_is_removed_by_containerd_and_refused_by_the_cri(
    node: Containerd, pyd: Run, pyd_on: Callable[[str], Run], other: str
):
    second = other.replace(":2", ":3")
    node.ctr("images", "tag", other, second, namespace="k8s.io")
    node.await_image(second)
    refused = pyd("rmi", second)
    assert (refused.returncode, "with all its names" in refused.stderr) == (1, True)
    assert pyd_on("k8s.io")("rmi", second).stdout == f"Untagged: {second}\n"
    assert other in node.ctr("images", "ls", "-q", namespace="k8s.io")


@pytest.mark.parametrize("scheme", ["cri", "containerd"])
def test_the_dashboard_removes_an_image_after_a_question(node: Containerd, pyd_path: Path, other: str, scheme: str):
    address = f"{scheme}://{node.socket}" + ("?namespace=k8s.io" if scheme == "containerd" else "")
    with Terminal([pyd_path, "-H", address], size=(160, 40)) as dashboard:
        dashboard.wait_for("2 Images")
        dashboard.keys("2")
        dashboard.wait_for(other)
        dashboard.keys("/")
        dashboard.type("other")
        dashboard.keys("Enter")
        dashboard.wait_gone(IMAGE)
        dashboard.keys("F")
        dashboard.wait_for("nothing: every byte is visible in a container")
        dashboard.keys("x")
        dashboard.wait_for(f"Remove {other}?")
        dashboard.keys("y")
        dashboard.wait_for(f"removed {other}")
    assert other not in node.ctr("images", "ls", "-q", namespace="k8s.io")
