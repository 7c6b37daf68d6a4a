"""Clients' directories as sources (`local://NAME`)."""

from __future__ import annotations

import json
import os

from pyd_core.daemon.build.interfaces import BuildSession
from pyd_core.daemon.build.solver.local_trees import LocalTree, LocalTrees
from pyd_core.daemon.build.solver.reporter import VertexReporter, now
from pyd_core.daemon.build.solver.sources.unpacked import UnpackedContext
from pyd_core.errors import InvalidInput

SCHEME = "local://"
MAX_PATTERNS = 100_000


async def sync(
    trees: LocalTrees,
    identifier: str,
    attrs: dict[str, str],
    *,
    session: BuildSession | None,
    reporter: VertexReporter,
) -> tuple[LocalTree, str]:
    """Bring a copy of a client's directory up to date.

    Returns:
        The copy, which the caller holds, and the digest of its content.

    Raises:
        InvalidInput: There is no client, or it sent what no directory can hold.
    """
    name = identifier.removeprefix(SCHEME)
    if session is None:
        raise InvalidInput(f"{identifier[:80]}: this build has no session that could send files")
    if isinstance(session, UnpackedContext):
        session.tree.holders += 1
        return session.tree, await session.identity()
    hint = "\0".join(attrs.get(key, "") for key in ("local.sharedkeyhint", "local.differ"))
    tree = trees.acquire(session.shared_key, name, hint)
    try:
        started = now()
        title = f"transferring {name}:"

        def progress(count: int, _files: int) -> None:
            reporter.status(title, count, started=started)

        tree.begin()
        fd = os.open(tree.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            synced = await session.sync_directory(
                name=name,
                destination_fd=fd,
                include=_patterns(attrs, "local.includepattern"),
                exclude=_patterns(attrs, "local.excludepatterns"),
                follow_paths=_patterns(attrs, "local.followpaths"),
                previous=tree.synced,
                progress=progress,
            )
        finally:
            os.close(fd)
        digest = tree.set_state(synced)
        tree.complete()
        reporter.status(title, synced.transferred_bytes, started=started, completed=True)
    except BaseException:
        trees.release(tree)
        raise
    return tree, digest


def _patterns(attrs: dict[str, str], key: str) -> list[str]:
    text = attrs.get(key, "")
    if not text:
        return []
    try:
        patterns = json.loads(text)
    except (ValueError, RecursionError):
        patterns = None
    if (
        not isinstance(patterns, list)
        or len(patterns) > MAX_PATTERNS
        or not all(isinstance(pattern, str) for pattern in patterns)
    ):
        raise InvalidInput(f"{key} is no list of patterns", reference="bad-definition")
    return patterns
