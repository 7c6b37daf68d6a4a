"""Images of nodes in the shared model, and how a name finds one."""

from __future__ import annotations

import pytest

from pyd_core.cri.image_source import pick
from pyd_core.cri.node_image import (
    NodeImage,
    NodeImageConfig,
    NodeImageRootFs,
    NodeImageStep,
    history_of,
    image_of,
    summary_of,
)
from pyd_core.errors import Ambiguous, NotFound

FIRST = NodeImage(id="sha256:" + "a1" * 32, tags=("docker.io/library/box:latest", "docker.io/library/box:1"))
SECOND = NodeImage(id="sha256:" + "a2" * 32, digests=("registry.test/app@sha256:" + "0" * 64,))


@pytest.mark.parametrize("name", ["box", "box:1", "docker.io/library/box:1", FIRST.id, FIRST.id[7:19], "a1"])
def test_an_image_is_found_by_its_names_as_docker_writes_them(name: str):
    assert pick([FIRST, SECOND], name) is FIRST


def test_an_image_is_found_by_a_name_with_a_digest():
    assert pick([FIRST, SECOND], SECOND.digests[0]) is SECOND


@pytest.mark.parametrize("name", ["box:2", "", "../etc", "a3", "a" * 500])
def test_a_name_of_no_image_is_refused(name: str):
    with pytest.raises(NotFound):
        pick([FIRST, SECOND], name)


def test_the_beginning_of_two_ids_is_ambiguous():
    with pytest.raises(Ambiguous):
        pick([FIRST, SECOND], "a")


def test_steps_take_the_sizes_of_their_layers_and_layers_without_a_step_stay():
    steps = [NodeImageStep(created_by="COPY"), NodeImageStep(created_by="ENV", empty_layer=True)]
    image = NodeImage(id=FIRST.id, tags=("box",), config=NodeImageConfig(history=steps))
    assert [(step.created_by, step.size) for step in history_of(image, [5, 7])] == [("", 7), ("ENV", 0), ("COPY", 5)]
    assert history_of(image, [5])[0].tags == ["box"]
    assert history_of(NodeImage(id=FIRST.id), []) == []


def test_an_image_without_a_configuration_has_a_summary_and_no_layers():
    assert summary_of(SECOND).created == 0
    assert image_of(SECOND).root_fs.layers == []
    assert image_of(
        NodeImage(id="x", config=NodeImageConfig(rootfs=NodeImageRootFs(diff_ids=["d"])))
    ).root_fs.layers == ["d"]
