"""Lists of containers: filters and names of images, alike on both engines."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from support.api import Api
from support.docker import LABEL, LONE, QUICK, Docker, busybox_files, environment


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("lists", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture
def api(both: Docker) -> Iterator[Api]:
    with Api(both) as api:
        yield api


def listed(both: Docker, *filters: str) -> list[str]:
    """The names of ours that pass, sorted."""
    options = [part for condition in (f"label={LABEL}={both.prefix}", *filters) for part in ("--filter", condition)]
    return sorted(both("ps", "-a", *options, "--format", "{{.Names}}").split())


def built(both: Docker, name: str, *steps: str) -> str:
    file = "\n".join(steps).encode()
    environ = environment(DOCKER_HOST=both.host, DOCKER_BUILDKIT="0")
    subprocess.run(["docker", "build", "-t", name, "-"], input=file, capture_output=True, check=True, env=environ)
    return name


def test_an_ancestor_is_what_an_image_was_built_from_not_what_has_the_same_layers(both: Docker, image: str):
    """On version 0.1 the filter listed containers of the parent, as an image with labels alone has its layers."""
    label = f"LABEL {LABEL}={both.prefix}"
    child = built(both, f"{both.name('child')}:1", f"FROM {image}", label)
    grandchild = built(both, f"{both.name('grandchild')}:1", f"FROM {child}", "LABEL a=b")
    images = {"parent": image, "child": child, "grandchild": grandchild}
    names = [both.create(f"of-{short}", reference, options=LONE) for short, reference in images.items()]
    of_child, of_grandchild = names[1:]
    assert listed(both, f"ancestor={child}") == sorted([of_child, of_grandchild])
    assert listed(both, f"ancestor={grandchild}") == [of_grandchild]
    assert listed(both, f"ancestor={image}") == sorted(names)
    assert listed(both, "ancestor=nosuch:1") == []
    assert listed(both, f"ancestor={grandchild}", f"ancestor={child}") == sorted([of_child, of_grandchild])
    both("rm", *names)
    both("rmi", grandchild, child)


def test_published_and_exposed_ports_are_those_of_host_and_container(both: Docker, image: str):
    """Version 0.1 looked for the container's port, and knew no ranges."""
    published = both.run("published", image, "sleep", "1000", options=(*QUICK, "-p", "127.0.0.1::9000/udp"))
    exposed = both.run("exposed", image, "sleep", "1000", options=(*QUICK, "--expose", "9000"))
    host_port = both("port", published, "9000/udp").rpartition(":")[2]
    assert listed(both, f"publish={host_port}/udp") == [published]
    assert listed(both, f"publish={host_port}") == []
    assert listed(both, "publish=9000/udp") == ([published] if host_port == "9000" else [])
    assert listed(both, f"publish={int(host_port) - 1}-{host_port}/udp") == [published]
    assert listed(both, "expose=9000") == [exposed]
    assert listed(both, "expose=8999-9001") == [exposed]
    assert listed(both, "expose=9000/udp", f"publish={host_port}/udp") == [published]
    assert listed(both, "expose=9000", f"publish={host_port}/udp") == sorted([published, exposed])
    both("rm", "-f", published, exposed)


def test_a_port_that_is_none_is_refused(api: Api):
    for value in ("foo", "8:8", "9-8", "70000"):
        status, message = api.refusal("GET", "/containers/json", params={"filters": f'{{"expose":["{value}"]}}'})
        assert status >= 400
        assert value in message


def test_an_image_whose_name_has_moved_on_is_shown_by_its_id(both: Docker, image: str):
    name = f"{both.name('moved')}:1"
    both("tag", image, name)
    container = both.create("of-moved", name, options=LONE)
    shown = ("ps", "-a", "--no-trunc", "--filter", f"name={container}", "--format", "{{.Image}}")
    assert both(*shown) == name
    other = built(both, name, f"FROM {image}", "LABEL other=1")
    image_id = both("inspect", "-f", "{{.Image}}", container)
    assert both(*shown) == image_id
    both("rmi", other)
    assert both(*shown) == image_id
    both("rm", container)


def test_a_filter_on_exit_codes_is_of_what_is_listed_at_all(both: Docker, image: str):
    name = both.create("code", image, "sh", "-c", "exit 5", options=LONE)
    assert listed(both, "exited=0") == []  # it was never started
    both("start", "-a", name, check=False)
    both("wait", name)
    assert listed(both, "exited=5") == [name]
    plain = ("ps", "--filter", f"name={name}", "--filter", "exited=5", "--format", "{{.Names}}")
    assert both(*plain) == ""
    both("rm", name)
