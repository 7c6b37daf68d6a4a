"""docker-py, the client of most programs, gets the same from the embedded engine as from Docker Engine."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from docker import APIClient, DockerClient
from docker.errors import APIError, ContainerError, NotFound

from support.docker import LABEL, Docker, busybox_files


@pytest.fixture(scope="module")
def client(both: Docker) -> Iterator[DockerClient]:
    client = DockerClient(base_url=both.host)
    yield client
    client.close()


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("py", busybox_files(), 'CMD ["/bin/sh"]', "ENV FROM_IMAGE=1", directories=("tmp", "etc"))


@pytest.fixture
def running(both: Docker, image: str) -> Iterator[str]:
    """A container that does nothing."""
    name = both.run("idle", image, "sleep", "1000", options=("--network", "none"))
    yield name
    both("rm", "-f", name)


def test_a_container_runs_and_its_output_and_exit_code_are_reported(client: DockerClient, both: Docker, image: str):
    options = {"labels": {LABEL: both.prefix}, "network_mode": "none", "remove": True}
    assert client.containers.run(image, "echo hello", **options) == b"hello\n"
    with pytest.raises(ContainerError) as ended:
        client.containers.run(image, ["sh", "-c", "echo no >&2; exit 3"], **options)
    assert (ended.value.exit_status, ended.value.stderr) == (3, b"no\n")


def test_a_variable_without_a_value_takes_the_images_away_and_is_seen(client: DockerClient, both: Docker, image: str):
    container = client.containers.create(
        image, "env", environment={"FROM_IMAGE": None, "OWN": "a"}, network_mode="none", labels={LABEL: both.prefix}
    )
    assert {"FROM_IMAGE", "OWN=a"} <= set(container.attrs["Config"]["Env"])
    container.start()
    container.wait()
    assert b"OWN=a" in container.logs().split()
    assert b"FROM_IMAGE" not in container.logs()
    container.remove()


@pytest.mark.parametrize(("tty", "framed"), [(True, True), (True, False), (False, True)])
def test_a_commands_streams_are_separated_on_request(client: DockerClient, running: str, tty: bool, framed: bool):
    api: APIClient = client.api
    execution = api.exec_create(running, ["sh", "-c", "echo out; echo err >&2"], tty=tty)
    output = api.exec_start(execution, tty=not framed, demux=framed)
    if tty:
        assert output == ((b"out\r\nerr\r\n", None) if framed else b"out\r\nerr\r\n")
    else:
        assert output == (b"out\n", b"err\n")
    assert api.exec_inspect(execution["Id"])["ExitCode"] == 0


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({"cmd": "nosuch"}, rb"not found in \$path"),
        ({"cmd": "ls", "workdir": "/nodir"}, b"no such file or directory"),
        ({"cmd": "/etc/hosts"}, rb"permission denied|not executable"),
    ],
)
def test_a_command_that_cannot_start_says_why_and_ends_with_126(
    client: DockerClient, running: str, options: dict[str, str], pattern: bytes
):
    code, output = client.containers.get(running).exec_run(**options)
    assert code == 126
    assert re.search(pattern, output.lower())  # each runtime has its own words


def test_an_image_saved_by_its_id_has_no_name(client: DockerClient, both: Docker, image: str):
    kept = client.images.get(image)
    assert kept.tag(both.name("pys"), "named")
    kept.reload()
    by_name = b"".join(kept.save(named=f"{both.name('pys')}:named"))
    by_id = b"".join(kept.save())
    client.images.remove(f"{both.name('pys')}:named")
    assert b"pys:named" in by_name
    assert b"pys:named" not in by_id
    assert [loaded.id for loaded in client.images.load(by_id)] == [kept.id]


def test_the_keys_to_detach_are_taken_as_the_client_spells_the_field(client: DockerClient, running: str):
    api: APIClient = client.api
    api._general_configs["detachKeys"] = "ctrl-p"
    try:
        execution = api.exec_create(running, "cat", stdin=True, tty=True)
        joined = api.exec_start(execution, tty=True, socket=True)
        with closing(joined._sock) as wire, closing(joined._response):
            wire.settimeout(60)
            wire.sendall(b"\x10")
            while wire.recv(64):  # until the engine lets go
                pass
    finally:
        api._general_configs.pop("detachKeys")


def _packed(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def test_files_of_volumes_are_copied_in_and_out_of_what_does_not_run(
    client: DockerClient, both: Docker, image: str, tmp_path: Path
):
    volume = client.volumes.create(both.name("pyv"), labels={LABEL: both.prefix})
    (tmp_path / "there").write_text("of the machine")
    volumes = {volume.name: {"bind": "/vol/ume", "mode": "rw"}, str(tmp_path): {"bind": "/ro", "mode": "ro"}}
    container = client.containers.create(
        image, "cat /vol/ume/f", volumes=volumes, read_only=True, network_mode="none", labels={LABEL: both.prefix}
    )
    assert container.put_archive("/vol/ume", _packed("f", b"of the client"))
    chunks, stat = container.get_archive("/vol/ume/f")
    assert stat["size"] == len(b"of the client")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        member = archive.extractfile("f")
        assert member is not None
        assert member.read() == b"of the client"
    assert container.get_archive("/ro/there")[1]["size"] == len("of the machine")
    with pytest.raises(APIError):
        container.put_archive("/ro", _packed("new", b"x"))
    with pytest.raises(APIError):
        container.put_archive("/tmp", _packed("new", b"x"))
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    container.start()
    container.wait()
    assert container.logs() == b"of the client"
    assert container.get_archive("/vol/ume/f")[1]["name"] == "f"
    container.remove()
    volume.remove()


def test_images_are_made_of_containers_that_end_meanwhile(client: DockerClient, both: Docker, image: str):
    for number in range(5):
        container = client.containers.create(
            image, f"touch /made{number}", network_mode="none", labels={LABEL: both.prefix}
        )
        container.start()
        kept = container.commit(repository=both.name("pyc"), tag=str(number), changes="CMD true")
        container.wait()
        container.remove()
        assert kept.attrs["Config"]["Cmd"] == ["/bin/sh", "-c", "true"]
        client.images.remove(kept.id)


def test_networks_have_names_of_any_kind_and_containers_a_hardware_address(
    client: DockerClient, both: Docker, image: str
):
    network = client.networks.create(both.name("py net"), labels={LABEL: both.prefix})
    container = client.containers.create(
        image, "cat /sys/class/net/eth0/address", network=network.name, labels={LABEL: both.prefix},
        mac_address="02:42:ac:11:00:0a",
    )  # fmt: skip
    container.start()
    container.wait()
    assert container.logs() == b"02:42:ac:11:00:0a\n"
    container.remove()
    network.remove()
    with pytest.raises(NotFound):
        network.reload()


def test_a_client_that_cleans_up_may_leave_the_swarm_it_is_not_in(client: DockerClient):
    if client.info()["Swarm"]["LocalNodeState"] != "inactive":
        pytest.skip("this engine is in a swarm")
    with pytest.raises(APIError) as refused:
        client.api.leave_swarm()
    assert refused.value.response.status_code == 503


def test_images_are_built_from_a_file_and_stats_reported(client: DockerClient, both: Docker, image: str, running: str):
    built, log = client.images.build(
        fileobj=io.BytesIO(f"FROM {image}\nRUN echo made > /made\nCMD cat /made\n".encode()), tag=both.name("pyb")
    )
    assert any("Successfully built" in line.get("stream", "") for line in log)
    ran = client.containers.run(built, network_mode="none", remove=True, labels={LABEL: both.prefix})
    assert ran == b"made\n"
    client.images.remove(built.id)
    assert client.containers.get(running).stats(stream=False)["pids_stats"]["current"] == 1
    assert client.containers.get(running).top()["Processes"][0][-1].endswith("sleep 1000")
