"""Solves that have begun: what is known of a result can be asked for before anything runs."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from pyd_core.daemon.build.solver.refs import SolvedRef
from pyd_core.daemon.build.solver.solve import GraphSolve

if TYPE_CHECKING:
    from pyd_core.daemon.build.solver.solver import BuildSolver


class BegunSolve:
    """A solve that has begun."""

    def __init__(self, solver: BuildSolver, solve: GraphSolve, held: ExitStack) -> None:
        self._solver = solver
        self._solve = solve
        self._held = held

    async def identify(self) -> tuple[str, bool]:
        """Return what the result is identified by, and whether it is known."""
        return await self._solve.identify()

    async def finish(self) -> None:
        """Wait until the result is there.

        Raises:
            VertexError: A vertex failed.
        """
        await self._solve.run()

    async def run(self) -> SolvedRef:
        """Return the result.

        Raises:
            VertexError: A vertex failed.
        """
        outcome = await self._solve.run()
        self._solver.collect_later()
        return self._solver.ref(
            self._solve.target(outcome), outcome.identity, self._held.pop_all(), self._solve.trace()
        )
