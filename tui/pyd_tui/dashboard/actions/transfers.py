"""Things fetched for the user, with their progress shown: to the clipboard, to files on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.files.download import Downloaded, Progress, download, save
from pyd_core.humanize import compact_size
from pyd_core.sanitise import safe
from pyd_tui.dashboard.actions.clipboard import CLIPBOARD, clipboard_works
from pyd_tui.dashboard.actions.clipboard import save as keep
from pyd_tui.dashboard.engines.target import RowTarget

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pyd_core.client.engine_client import EngineClient
    from pyd_tui.dashboard.protocols import ActionHost

FOLDER = "to folder"
SHOWN = 120
"""Characters of what was copied that are shown."""
NO_CLIPBOARD = "this terminal has no clipboard that programs can reach"


class Transfers:
    """What the dashboard does beside showing things.

    Args:
        dashboard: The app.
    """

    def __init__(self, dashboard: ActionHost) -> None:
        self._dashboard = dashboard

    def copy(self, text: str) -> None:
        """Puts a text on the terminal's clipboard.

        What is too long for that, or where the terminal has none, goes to a file; a short line is shown instead, to be
        copied from the screen.
        """
        text = text.encode(errors="replace").decode()  # file names needn't be text
        shown, works = safe(text), clipboard_works()
        if works and len(text.encode()) <= CLIPBOARD:
            self._dashboard.copy_to_clipboard(text)
            self._dashboard.say(f"copied {shown[:SHOWN]}", "good")
        elif not works and len(shown) <= SHOWN and "\n" not in text:
            self._dashboard.say(shown, "strong", NO_CLIPBOARD)
        else:
            why = f"too much for the clipboard ({compact_size(CLIPBOARD)})" if works else NO_CLIPBOARD
            self._save(text, why)

    def _save(self, text: str, why: str) -> None:
        clock = self._dashboard.clock
        try:
            path, _ = keep("copied", [text], clock.local(clock.now()))
        except OSError as error:
            self._dashboard.say(f"can't save: {error.strerror or error}", "bad", why)
        else:
            self._dashboard.say(f"saved to {path}", "good", why)

    def download(self, target: RowTarget, path: str) -> None:
        """Asks where to, and takes a file or a directory out of a container."""
        self._to_folder(
            f"Download {safe(path)}",
            path.rstrip("/").rpartition("/")[2] or "/",
            lambda folder, progress: download(target.engine, target.id, path, folder, progress),
        )

    def export(self, target: RowTarget, name: str) -> None:
        """Asks where to, and writes all of a container's files as a tar."""

        async def work(folder: Path, progress: Progress) -> Downloaded:
            async with target.engine.containers.export(target.id) as stream:
                return await save(folder, f"{_file_name(name)}.tar", stream.chunks(), progress)

        self._to_folder(f"Export the files of {safe(name)}", name, work)

    def save_images(self, engine: EngineClient, names: list[str]) -> None:
        """Asks where to, and writes images as `docker save` does."""

        async def work(folder: Path, progress: Progress) -> Downloaded:
            total = sum([(await engine.images.inspect(name)).size for name in names])  # about as large as the tar
            async with engine.images.save(names) as stream:
                chunks = stream.chunks()
                return await save(folder, f"{_file_name(names[0])}.tar", chunks, progress, total=total)

        what = safe(names[0]) if len(names) == 1 else f"{len(names)} images"
        self._to_folder(f"Save {what}", what, work)

    def _to_folder(self, title: str, name: str, work: Callable[[Path, Progress], Awaitable[Downloaded]]) -> None:
        from pyd_tui.dashboard.screens.form import Field, Form  # noqa: PLC0415 - hardly ever needed

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                folder = Path(os.path.expanduser(given[FOLDER]))  # noqa: PTH111 - pathlib raises where there is no home
                self._dashboard.tasks.start(self._fetch(name, folder, work), name="download")

        self._dashboard.push_screen(Form(title, [Field(name=FOLDER, value=str(Path.cwd()))]), answered)

    async def _fetch(self, name: str, folder: Path, work: Callable[[Path, Progress], Awaitable[Downloaded]]) -> None:
        jobs = self._dashboard.jobs
        jobs.tell(name)
        try:
            done = await work(folder, lambda have, total: jobs.tell(name, have, total))
        finally:
            jobs.end(name)
        self._dashboard.say(f"wrote {safe(str(done.path))}  {compact_size(done.size)}", "good")


def _file_name(text: str) -> str:
    """Returns a name for a file: nothing in it leads elsewhere."""
    return safe(text).replace("/", "_").replace(":", "_").lstrip(".") or "image"
