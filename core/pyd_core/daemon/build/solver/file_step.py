"""File operations: their actions applied in order, each on what it names (`FileOp`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.solver.file_actions import FileOperations
from pyd_core.daemon.build.solver.owners import owner_of
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.build.solver.snapshots import SnapshotStore, Workspace
from pyd_core.errors import InvalidInput
from pyd_core.linux.mount import unmount
from pyd_core.linux.openat2 import RootDirectory

MAX_ACTIONS = 10_000


class FileStep:
    """A file operation; slow, so run it on a thread.

    Args:
        op: The operation.
        inputs: What its vertex has as inputs.
        snapshots: The layers.
        check: Called at each file; raises to stop.
    """

    def __init__(
        self, op: ops_pb2.FileOp, inputs: Sequence[Result], snapshots: SnapshotStore, check: Callable[[], None]
    ) -> None:
        if len(op.actions) > MAX_ACTIONS:
            raise InvalidInput("a file operation has too many actions", reference="bad-definition")
        self._op = op
        self._inputs = inputs
        self._snapshots = snapshots
        self._check = check
        self._uses: Counter[int] = Counter()
        self._done: dict[int, Result] = {}
        self._open: dict[int, Workspace] = {}

    def run(self) -> list[Result]:
        """Apply all actions and return the outputs.

        Raises:
            InvalidInput: An action can't be applied.
        """
        outputs: dict[int, Result] = {}
        count = len(self._inputs)
        for action in self._op.actions:
            self._uses[action.input] += 1
            self._uses[action.secondaryInput] += 2  # a source has to be complete
        with ExitStack() as stack:
            for number, action in enumerate(self._op.actions):
                self._check()
                work = self._workspace(stack, action.input, count + number)
                self._apply(action, work)
                self._open[count + number] = work
                if action.output >= 0:
                    outputs[action.output] = self._complete(count + number)
        return [outputs.get(index, Result()) for index in range(max(outputs, default=-1) + 1)]

    def _workspace(self, stack: ExitStack, index: int, own: int) -> Workspace:
        """Return a workspace to change an input in: that of an earlier action, if nothing else needs its state."""
        if index >= own:
            raise InvalidInput("an action depends on a later one", reference="bad-definition")
        if index in self._open and self._uses[index] == 1:
            return self._open.pop(index)
        return stack.enter_context(self._snapshots.change(self._result(index).layers))

    def _result(self, index: int) -> Result:
        if index < 0:
            return Result()
        if index < len(self._inputs):
            return self._inputs[index]
        if index in self._open:
            return self._complete(index)
        if index not in self._done:
            raise InvalidInput("an action depends on one that isn't there", reference="bad-definition")
        return self._done[index]

    def _complete(self, index: int) -> Result:
        """Make a layer of an open workspace."""
        work = self._open.pop(index)
        unmount(work.merged)
        layer = self._snapshots.commit(work.upper)
        self._snapshots.add_pending(self._snapshots.measure(layer))
        self._done[index] = Result((*work.lower, layer))
        return self._done[index]

    def _apply(self, action: ops_pb2.FileAction, work: Workspace) -> None:
        with ExitStack() as opened:
            target = opened.enter_context(RootDirectory(work.merged))
            source: RootDirectory | None = None
            owner: tuple[int, int] | None = None
            kind = action.WhichOneof("action")
            if kind == "copy":
                result = self._result(action.secondaryInput)
                source = opened.enter_context(result.open(self._snapshots))
            if kind is not None and kind != "rm":
                option: ops_pb2.ChownOpt = getattr(action, kind).owner
                if getattr(action, kind).HasField("owner"):
                    owner = owner_of(option, self._users(opened, option.user), self._users(opened, option.group))
            FileOperations(target, check=self._check).apply(action, source, owner)

    def _users(self, opened: ExitStack, option: ops_pb2.UserOpt) -> RootDirectory | None:
        if option.WhichOneof("user") != "byName" or option.byName.input < 0:
            return None
        return opened.enter_context(self._result(option.byName.input).open(self._snapshots))
