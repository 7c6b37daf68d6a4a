"""References to containers of a Compose service, and to processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyd_core.debug.reference import pick_member, process_target
from pyd_core.errors import Ambiguous, InvalidInput, NotFound
from pyd_core.model.container import COMPOSE_PROJECT, COMPOSE_SERVICE, ContainerSummary


def member(number: str, state: str = "running", project: str = "shop", service: str = "api") -> ContainerSummary:
    labels = {
        COMPOSE_PROJECT: project,
        COMPOSE_SERVICE: service,
        "com.docker.compose.container-number": number,
    }
    name = f"{project}-{service}-{number}"
    return ContainerSummary(id=name, names=[f"/{name}"], state=state, labels=labels)


def test_a_service_is_its_first_container_that_runs():
    members = [member("3"), member("10"), member("1", "exited"), member("2"), member("1", service="db")]
    assert pick_member(members, "api") == member("2")
    assert pick_member([member("2", "exited"), member("1", "created")], "api") == member("1", "created")


def test_a_number_names_one_running_or_not():
    members = [member("1"), member("2", "exited")]
    assert pick_member(members, "api@2") == member("2", "exited")
    assert pick_member(members, "api@3") is None
    assert pick_member(members, "web") is None


def test_a_service_of_several_projects_is_ambiguous():
    with pytest.raises(Ambiguous) as caught:
        pick_member([member("1"), member("1", project="bank")], "api")
    assert set(caught.value.candidates) == {"shop-api-1", "bank-api-1"}


def test_a_process_is_taken_with_its_environment_and_folder():
    target = process_target(str(os.getpid()))
    assert target.process.pid == os.getpid()
    assert target.container.config.working_dir == str(Path.cwd())
    assert target.name.endswith(f"-{os.getpid()}")


def test_a_process_that_is_not_there_is_told():
    with pytest.raises(NotFound):
        process_target("4194305")
    for text in ("", "-1", "x", "1x"):
        with pytest.raises(InvalidInput):
            process_target(text)
