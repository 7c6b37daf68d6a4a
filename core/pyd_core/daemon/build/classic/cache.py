"""Cached results of build steps: child images, and the history of the images of `--cache-from`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from pyd_core.daemon.images.load import encode_config
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.model.container_config import ContainerConfig


def find_child(
    images: ImageStore,
    parent: ImageRecord,
    created_by: str,
    config: ContainerConfig,
    sources: Sequence[ImageRecord] | None,
) -> ImageRecord | None:
    """Return the newest image that the same step created from the same image.

    Args:
        images: The store.
        parent: The image that the step is applied to.
        created_by: The step's text in history.
        config: The configuration after the step.
        sources: The images of `--cache-from`: only they and their ancestors count. None accepts every image.
    """
    matches: list[tuple[str, ImageRecord]] = []
    for record in images.children(parent.id):
        if record.adopted:  # only `--cache-from` trusts a history that wasn't written here
            continue
        child = images.config(record)
        if child.history and child.history[-1].created_by == created_by and child.config == config:
            matches.append((child.created, record))
    newest = max(matches, key=lambda match: match[0])[1] if matches else None
    if newest is None or sources is None or any(images.descends(source, newest) for source in sources):
        return newest
    return None


def restore(
    images: ImageStore, parent: ImageRecord, created_by: str, config: ContainerConfig, source: ImageRecord
) -> ImageRecord | None:
    """Return the image of one step of a pulled or loaded image, which comes without the images of its steps.

    Args:
        images: The store.
        parent: The image that the step is applied to.
        created_by: The step's text in history.
        config: The configuration after the step.
        source: An image of `--cache-from`.

    Returns:
        The source itself for its last step, a new image for an earlier step, and None if its history differs.
    """
    parent_steps = images.config(parent).history or []
    source_config = images.config(source)
    steps = source_config.history or []
    count = len(parent_steps)
    if len(steps) <= count or steps[:count] != parent_steps or steps[count].created_by != created_by:
        return None
    if source.layers[: len(parent.layers)] != parent.layers:
        return None
    if len(steps) == count + 1:
        images.adopt(source, parent)
        return source
    layers = [*parent.layers]
    if not steps[count].empty_layer:
        layers += source.layers[len(layers) : len(layers) + 1]
    body = json.loads(encode_config(config, layers, msgspec.to_builtins(steps[: count + 1])))
    body["author"] = source_config.author
    return images.add(json.dumps(body).encode(), layers, parent=parent.id, adopted=True)
