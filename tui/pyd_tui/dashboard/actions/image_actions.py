"""Actions on images: tag, push, run, and a search of the public registry."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.client.provider import engine_of
from pyd_core.errors import InvalidInput, PydError
from pyd_core.model.reference import parse
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.model.creation import CreateBody
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.protocols import ActionHost

MAX_RESULTS = 25
"""Repositories that a search lists."""


class ImageActions:
    """The actions that the menu and commands run on images.

    Args:
        dashboard: The app.
        link: The engine.
        pull: Pulls an image, after asking.
    """

    def __init__(
        self, dashboard: ActionHost, link: EngineConnection, pull: Callable[[EngineConnection, str], None]
    ) -> None:
        self._dashboard = dashboard
        self._link = link
        self._pull_image = pull

    def tag(self, image: str, name: str = "") -> None:
        """Add a name to an image, after asking for it unless it is given."""
        if not self._dashboard.may_change(self._link):
            return
        if name:
            parse(name)
            self._dashboard.tasks.start(self._tag(image, name), name="tag")
            return
        from pyd_tui.dashboard.screens.form import Field, Form  # noqa: PLC0415 - rarely used

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                self._dashboard.tasks.start(self._tag(image, given["name"].strip()), name="tag")

        form = Form(
            f"Tag {safe(image)}",
            [Field(name="name", hint="e.g. registry.example.com/team/web:2")],
            lambda given: parse(given["name"].strip()),
            verb="tag",
        )
        self._dashboard.push_screen(form, answered)

    async def _tag(self, image: str, name: str) -> None:
        reference = parse(name)
        await engine_of(self._link.require()).images.tag(
            image, repository=reference.familiar, tag=reference.tag or "latest"
        )
        self._dashboard.say(f"tagged {image} as {name}", "good")

    def push(self, image: str) -> None:
        """Push an image to its registry, after asking."""
        if not self._dashboard.may_change(self._link):
            return
        from pyd_tui.dashboard.screens.confirm import Confirm  # noqa: PLC0415 - rarely used

        reference = parse(image)

        def answered(yes: bool | None) -> None:
            if yes:
                self._dashboard.tasks.start(self._push(image), name="push")

        question = f"Push {safe(image)} to {safe(reference.domain)}?"
        self._dashboard.push_screen(Confirm(question, []), answered)

    async def _push(self, image: str) -> None:
        from pyd_core.client.credentials import Logins  # noqa: PLC0415 - rarely used
        from pyd_tui.dashboard.actions.image_pull import PullLayers  # noqa: PLC0415 - rarely used

        job = f"pushing {safe(image)}"
        reference = parse(image)
        layers = PullLayers(moving="Pushing", done=("Pushed",))
        self._dashboard.jobs.update(job)
        try:
            auth = Logins.of_user().for_image(image)
            async with engine_of(self._link.require()).images.push(
                reference.familiar, tag=reference.tag, auth=auth
            ) as progress:
                async for step in progress:
                    layers.add(step)
                    self._dashboard.jobs.update(job, layers.done, layers.total)
        finally:
            self._dashboard.jobs.end(job)
        self._dashboard.say(f"pushed {image}", "good")

    def run(self, image: str) -> None:
        """Ask for the most used options, and run a container of an image."""
        if not self._dashboard.may_change(self._link):
            return
        from pyd_tui.dashboard.screens.form import Field, Form  # noqa: PLC0415 - rarely used

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None:
                body, name = run_body(image, given), given["name"].strip()
                self._dashboard.tasks.start(self._run(body, name), name="run")

        fields = [
            Field(name="name", hint="empty = the engine chooses one"),
            Field(name="command", hint="empty = the image's own"),
            Field(name="env", hint="e.g. NAME=value OTHER=value"),
            Field(name="ports", hint="e.g. 8080:80 127.0.0.1:5353:53/udp"),
            Field(name="memory", hint="e.g. 512m or 2g; empty = no limit"),
            Field(name="restart", hint="no, always, unless-stopped, on-failure:3; empty = no"),
        ]
        form = Form(f"Run a container of {safe(image)}", fields, lambda given: run_body(image, given), verb="run")
        self._dashboard.push_screen(form, answered)

    async def _run(self, body: CreateBody, name: str) -> None:
        engine = engine_of(self._link.require())
        created = await engine.containers.create(body, name=name or None)
        try:
            await engine.containers.start(created.id)
        except PydError as error:
            hint = f"the container was created: {name or created.id[:12]}"
            self._dashboard.say(error.message, "bad", hint)
            return
        self._dashboard.say(f"started {name or created.id[:12]}", "good")

    def search(self, term: str = "") -> None:
        """Search the public registry for repositories, after asking for a term unless it is given."""
        if term:
            self._dashboard.tasks.start(self._search(term), name="registry search")
            return
        from pyd_tui.dashboard.screens.form import Field, Form  # noqa: PLC0415 - rarely used

        def answered(given: Mapping[str, str] | None) -> None:
            if given is not None and given["term"].strip():
                self._dashboard.tasks.start(self._search(given["term"].strip()), name="registry search")

        form = Form("Search the public registry", [Field(name="term", hint="e.g. nginx")], verb="search")
        self._dashboard.push_screen(form, answered)

    async def _search(self, term: str) -> None:
        from pyd_tui.dashboard.screens.menu import Menu, MenuEntry  # noqa: PLC0415 - rarely used

        results = await engine_of(self._link.require()).images.search(term, limit=MAX_RESULTS)
        if not results:
            self._dashboard.say(f"the registry has nothing named {term}", "warn")
            return
        entries = [
            MenuEntry(
                key=f"{result.star_count}★" if result.star_count < 10_000 else f"{result.star_count // 1000}k★",
                text=f"{safe(result.name)[:60]}  {safe(result.description)[:60]}".strip(),
                run=partial(self._pull_image, self._link, result.name),
            )
            for result in list(results)[:MAX_RESULTS]
        ]
        chosen = Menu(f"{term}: enter pulls an image (asks)", entries)
        self._dashboard.push_screen(chosen, lambda run: run() if run is not None else None)


def run_body(image: str, given: Mapping[str, str]) -> CreateBody:
    """Return the body that creates a container as the answers of the form say.

    Raises:
        InvalidInput: A field can't be parsed.
    """
    from pyd_core.cliparse.limits import parse_restart  # noqa: PLC0415 - only for a form
    from pyd_core.cliparse.ports import parse_published  # noqa: PLC0415 - only for a form
    from pyd_core.gosyntax.sizes import parse_size  # noqa: PLC0415 - only for a form
    from pyd_core.model.creation import CreateBody  # noqa: PLC0415 - only for a form
    from pyd_core.model.host_config import HostConfig, RestartPolicy  # noqa: PLC0415 - only for a form

    try:
        command, env, ports = (shlex.split(given[name]) for name in ("command", "env", "ports"))
    except ValueError as error:
        raise InvalidInput(str(error).lower(), hint="close the quotes") from error
    if wrong := next((word for word in env if "=" not in word.strip("=")), None):
        raise InvalidInput(f"env: {safe(wrong)} sets no variable", hint="write NAME=value")
    bindings = parse_published(ports)
    memory = given["memory"].strip()
    policy = given["restart"].strip()
    host = HostConfig(
        port_bindings=bindings,
        memory=parse_size(memory) if memory else 0,
        restart_policy=parse_restart(policy) if policy else RestartPolicy(),
    )
    exposed = {port: dict[str, str]() for port in bindings}
    return CreateBody(image=image, cmd=command or None, env=env, exposed_ports=exposed, host_config=host)
