"""Copies to the clipboard and downloads to this machine, with their progress."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.client.provider import engine_of
from pyd_core.files.download import Downloaded, Progress, download, save
from pyd_core.humanize import size
from pyd_core.sanitise import safe
from pyd_tui.dashboard.actions.clipboard import MAX_CLIPBOARD_BYTES, clipboard_works
from pyd_tui.dashboard.actions.clipboard import save as save_lines
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.render.env import has_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pyd_core.client.provider import Provider
    from pyd_tui.dashboard.protocols import ActionHost

DIRECTORY = "to directory"
MAX_SHOWN_CHARACTERS = 120
"""The number of copied characters that are shown."""
NO_CLIPBOARD = "this terminal has no clipboard that programs can reach"


class Transfers:
    """Copies text, and downloads files and images.

    Args:
        dashboard: The app.
    """

    def __init__(self, dashboard: ActionHost) -> None:
        self._dashboard = dashboard

    def copy(self, text: str) -> None:
        """Put a text on the terminal's clipboard.

        Text that is too long is saved to a file. Where the terminal has no clipboard, a short line is shown for
        copying from the screen, and longer text is saved.
        """
        text = text.encode(errors="replace").decode()  # file names needn't be text
        shown, works = safe(text), clipboard_works()
        if works and has_secret(text):
            shown = f"{'1 value' if len(text.splitlines()) <= 1 else 'it'} (hidden)"
        if works and len(text.encode()) <= MAX_CLIPBOARD_BYTES:
            self._dashboard.copy_to_clipboard(text)
            self._dashboard.say(f"copied {shown[:MAX_SHOWN_CHARACTERS]}", "good")
        elif not works and len(shown) <= MAX_SHOWN_CHARACTERS and "\n" not in text:
            self._dashboard.say(shown, "strong", NO_CLIPBOARD)
        else:
            why = f"too much for the clipboard ({size(MAX_CLIPBOARD_BYTES)})" if works else NO_CLIPBOARD
            self._save(text, why)

    def _save(self, text: str, why: str) -> None:
        clock = self._dashboard.clock
        try:
            path, _ = save_lines("copied", [text], clock.local(clock.now()))
        except OSError as error:
            self._dashboard.say(f"can't save: {error.strerror or error}", "bad", why)
        else:
            self._dashboard.say(f"saved to {path}", "good", why)

    def download(self, target: RowTarget, path: str) -> None:
        """Ask for a directory, and download a file or a directory of a container to it."""
        self._to_directory(
            f"Download {safe(path)}",
            path.rstrip("/").rpartition("/")[2] or "/",
            lambda directory, progress: download(target.engine, target.id, path, directory, progress),
        )

    def export(self, target: RowTarget, name: str) -> None:
        """Ask for a directory, and export a container's files to it as a tar."""

        async def work(directory: Path, progress: Progress) -> Downloaded:
            async with engine_of(target.engine).containers.export(target.id) as stream:
                return await save(directory, f"{_file_name(name)}.tar", stream.chunks(), progress)

        self._to_directory(f"Export the files of {safe(name)} as a tar", name, work)

    def save_images(self, engine: Provider, names: list[str]) -> None:
        """Ask for a directory, and save images to it as `docker save` does."""

        async def work(directory: Path, progress: Progress) -> Downloaded:
            total = sum(
                [(await engine_of(engine).images.inspect(name)).size for name in names]
            )  # about as large as the tar
            async with engine_of(engine).images.save(names) as stream:
                chunks = stream.chunks()
                return await save(directory, f"{_file_name(names[0])}.tar", chunks, progress, total=total)

        what = safe(names[0]) if len(names) == 1 else f"{len(names)} images"
        self._to_directory(f"Save {what}", what, work)

    def _to_directory(self, title: str, name: str, work: Callable[[Path, Progress], Awaitable[Downloaded]]) -> None:
        from pyd_tui.dashboard.screens.form import Field, Form  # noqa: PLC0415 - rarely used

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                directory = Path(os.path.expanduser(given[DIRECTORY]))  # noqa: PTH111 - pathlib raises where there is no home
                self._dashboard.tasks.start(self._fetch(name, directory, work), name="download")

        verb = title.partition(" ")[0].lower()
        form = Form(title, [Field(name=DIRECTORY, value=str(Path.cwd()))], verb=verb)
        self._dashboard.push_screen(form, answered)

    async def _fetch(self, name: str, directory: Path, work: Callable[[Path, Progress], Awaitable[Downloaded]]) -> None:
        jobs = self._dashboard.jobs
        jobs.update(name)
        try:
            done = await work(directory, lambda have, total: jobs.update(name, have, total))
        finally:
            jobs.end(name)
        self._dashboard.say(f"wrote {safe(str(done.path))}  {size(done.size)}", "good")


def _file_name(text: str) -> str:
    """Return a file name without path separators."""
    return safe(text).replace("/", "_").replace(":", "_").lstrip(".") or "image"
