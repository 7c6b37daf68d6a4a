"""The end of a session in what doesn't run: its changes are listed, kept as asked, or thrown away."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence

from pyd_core.debug.offline.archive import write_archive
from pyd_core.debug.offline.changes import ADDED, DELETED, MODIFIED, Changed, find_changes
from pyd_core.debug.offline.keep import apply, check_name, choose, save
from pyd_core.debug.offline.stage import Holder
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import IMAGE
from pyd_core.debug.target import Target
from pyd_core.engine.containers import Containers
from pyd_core.engine.session import Session
from pyd_core.engine.transport.blocking import run_now
from pyd_core.errors import PydError
from pyd_core.sanitise import safe

_WORDS = {ADDED: "added", MODIFIED: "changed", DELETED: "deleted"}

Ask = Callable[[str], str]


class Outcome:
    """What becomes of a session's changes.

    Args:
        session: The engine.
        target: What the session was in.
        holder: Of its stage, still there.
        notify: Told lines for the user.
        show: Told the listing of changes, a line each.
    """

    def __init__(
        self,
        session: Session,
        target: Target,
        holder: Holder,
        *,
        notify: Callable[[str], None],
        show: Callable[[str], None],
    ) -> None:
        self._session = session
        self._target = target
        self._holder = holder
        self._notify = notify
        self._show = show
        self._changes = find_changes(holder.upper, holder.before, made=frozenset(holder.built.made))

    def settle(self, options: DebugOptions, ask: Ask | None) -> None:
        """Does what the options say; with none, asks.

        Args:
            options: `diff`, `apply` and `save` are looked at.
            ask: Shows a question and returns the answer; None where nobody is to be asked.

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
        container = self._target.container
        if kept:
            held = self._holder
            own = container.graph_driver.data.get("UpperDir", "")
            own = own if os.path.isdir(own) else ""
            to = Containers(self._session)
            run_now(apply(to, container, kept, upper=held.upper, before=held.before, own=own, began=held.began))
        self._notify(f"put back into {self._target.name}: {_counted(kept)}")
        deleted = [safe(change.path) for change in chosen if change.kind == DELETED]
        if deleted:
            self._notify(f"still there, for engines only put files into containers: {', '.join(deleted)}")

    def _save(self, name: str) -> None:
        full = check_name(name)
        run_now(save(self._session, self._target.container, self._changes, self._holder.upper, full))
        self._notify(f"saved as {full}: {_counted(self._changes)}")

    def _ask(self, ask: Ask) -> None:
        can_apply = self._target.container.state.status != IMAGE
        apply_word = f"a: put them back into {self._target.name}, " if can_apply else ""
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
        """Writes the changes to a file of the user's, so that what couldn't be kept isn't lost."""
        path = os.path.abspath(f"pyd-{self._target.container.id.rpartition(':')[2][:12]}-{os.getpid()}.tar")
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                write_archive(self._changes, self._holder.upper, file, whiteouts=True)
        except OSError as error:
            return f"no file either ({path}: {error.strerror})"
        return path


def _counted(changes: Sequence[Changed]) -> str:
    kinds = Counter(change.kind for change in changes)
    told = [f"{kinds[kind]} {word}" for kind, word in _WORDS.items() if kinds[kind]]
    return f"{', '.join(told) or 'nothing'}"
