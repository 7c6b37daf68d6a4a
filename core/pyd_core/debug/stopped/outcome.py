"""The end of a session in what doesn't run: its changes are listed, kept as asked, or thrown away."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.transport.blocking import run_now
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import IMAGE
from pyd_core.debug.stopped.apply import apply, choose
from pyd_core.debug.stopped.changes import ADDED, DELETED, MODIFIED, ChangedPath
from pyd_core.debug.stopped.save import check_name, save
from pyd_core.debug.stopped.source import LayerSource
from pyd_core.errors import PydError
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

_WORDS = {ADDED: "added", MODIFIED: "changed", DELETED: "deleted"}

Ask = Callable[[str], str]


class ApplyOutcome:
    """Lists, keeps or drops a session's changes.

    Args:
        session: The engine.
        container: The session's target.
        source: Has the changes, still there.
        notify: Shows a line to the user.
        show: Writes a line of the listing of changes.
    """

    def __init__(
        self,
        session: ApiClient,
        container: Container,
        source: LayerSource,
        *,
        notify: Callable[[str], None],
        show: Callable[[str], None],
    ) -> None:
        self._session = session
        self._container = container
        self._name = safe(container.name) or container.id[:12]
        self._source = source
        self._notify = notify
        self._show = show
        self._changes = run_now(source.find())

    def settle(self, options: DebugOptions, ask: Ask | None) -> None:
        """Do what the options say; without any, ask.

        Args:
            options: `diff`, `apply` and `save` are looked at.
            ask: Shows a question and returns the answer; None where there is no terminal to ask on.

        Raises:
            PydError: Changes couldn't be kept as asked; a tar of them is left where pyd was started, and named.
        """
        if options.diff:
            self._list()
        try:
            if options.apply:
                self._apply(options.apply)
            if options.save:
                self._save(options.save)
        except PydError as error:
            if self._changes:
                kept = f"the changes are in {self._rescue()}"
                error.hint = f"{error.hint}; {kept}" if error.hint else kept
            raise
        if self._changes and ask is not None and not (options.diff or options.apply or options.save):
            self._ask(ask)

    def _list(self) -> None:
        for change in self._changes:
            self._show(f"{change.kind} {safe(change.path)}")

    def _apply(self, paths: Sequence[str]) -> None:
        chosen = choose(self._changes, paths)
        kept = [change for change in chosen if change.kind != DELETED]
        if kept:
            run_now(apply(ContainersApi(self._session), self._container, kept, source=self._source))
        self._notify(f"put back into {self._name}: {_counted(kept)}")
        deleted = [safe(change.path) for change in chosen if change.kind == DELETED]
        if deleted:
            self._notify(f"still there, for engines only put files into containers: {', '.join(deleted)}")

    def _save(self, name: str) -> None:
        full = check_name(name)
        run_now(save(self._session, self._changes, self._source, full))
        self._notify(f"saved as {full}: {_counted(self._changes)}")

    def _ask(self, ask: Ask) -> None:
        can_apply = self._container.state.status != IMAGE
        apply_word = f"a: put them back into {self._name}, " if can_apply else ""
        question = f"{_counted(self._changes)}. Enter: throw away, l: list, {apply_word}s IMAGE: save as an image > "
        while True:
            word, _, rest = ask(question).strip().partition(" ")
            try:
                match word, rest.strip():
                    case "", _:
                        return None
                    case "l", _:
                        self._list()
                    case "a", "" if can_apply:
                        return self._apply(())
                    case "s", name if name:
                        return self._save(name)
                    case _:
                        continue
            except PydError as error:
                self._notify(f"{error.message} ({error.hint})" if error.hint else error.message)

    def _rescue(self) -> str:
        """Write the changes to a file of the user's, so that what couldn't be kept isn't lost."""
        path = os.path.abspath(f"pyd-{self._container.id.rpartition(':')[2][:12]}-{os.getpid()}.tar")
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                run_now(self._source.write(self._changes, file, whiteouts=True))
        except OSError as error:
            return f"no file either ({path}: {error.strerror})"
        return path


def _counted(changes: Sequence[ChangedPath]) -> str:
    kinds = Counter(change.kind for change in changes)
    counts = [f"{kinds[kind]} {word}" for kind, word in _WORDS.items() if kinds[kind]]
    return f"{', '.join(counts) or 'nothing'}"
