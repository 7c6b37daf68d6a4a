import hashlib
import json
import socket
from pathlib import Path

import pytest

from pyd_core.client import engine_choice
from pyd_core.client.contexts import Contexts
from pyd_core.client.endpoint import TlsFiles
from pyd_core.client.engine_choice import choose_endpoint, default_sockets
from pyd_core.errors import ConfigError, InvalidInput, NoEngine, NotFound


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a user with nothing set up, on a machine without engines of the system."""
    runtime = tmp_path / "run"
    (runtime / "podman").mkdir(parents=True)
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime)}
    monkeypatch.setattr(
        engine_choice,
        "default_sockets",
        lambda env: [path for path in default_sockets(env) if tmp_path in path.parents],
    )
    monkeypatch.setattr(engine_choice, "EMBEDDED_SOCKET", tmp_path / "pyd.sock")
    return environ


def context(
    home: dict[str, str], name: str, host: str, *, skip_verify: bool = False, certificates: bool = False
) -> None:
    directory = hashlib.sha256(name.encode()).hexdigest()
    meta = Path(home["HOME"], ".docker/contexts/meta", directory)
    meta.mkdir(parents=True)
    docker = {"Host": host, "SkipTLSVerify": skip_verify}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": docker}}))
    if certificates:
        tls = Path(home["HOME"], ".docker/contexts/tls", directory, "docker")
        tls.mkdir(parents=True)
        for file in ("ca", "cert", "key"):
            (tls / f"{file}.pem").touch()


def listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def test_each_way_to_name_an_engine_wins_over_the_next(home: dict[str, str]):
    context(home, "work", "tcp://work:2375")
    context(home, "lab", "ssh://ops@lab")
    Contexts.of_user(home).use("lab")
    sock = listening(Path(home["XDG_RUNTIME_DIR"], "docker.sock"))
    full = {**home, "DOCKER_HOST": "tcp://env:1", "DOCKER_CONTEXT": "work"}
    named = {**home, "DOCKER_CONTEXT": "work"}
    with sock:
        assert choose_endpoint(host="tcp://given:1", environ=full).url == "tcp://given:1"
        assert choose_endpoint(context="lab", environ=full).url == "ssh://ops@lab"
        assert choose_endpoint(environ=full).url == "tcp://env:1"
        assert choose_endpoint(environ=named).url == "tcp://work:2375"
        assert choose_endpoint(environ=home).url == "ssh://ops@lab"
        assert choose_endpoint(environ=home).origin == "context lab"
        assert choose_endpoint(context="default", environ=named).url.endswith("/docker.sock")
        Contexts.of_user(home).use("default")
        assert choose_endpoint(environ=home).url.endswith("/docker.sock")


def test_a_socket_nobody_listens_on_gives_way_to_one_that_answers(home: dict[str, str]):
    dead, alive = Path(home["XDG_RUNTIME_DIR"], "docker.sock"), Path(home["XDG_RUNTIME_DIR"], "podman/podman.sock")
    listening(dead).close()
    assert choose_endpoint(environ=home).socket_path == dead
    with listening(alive):
        assert choose_endpoint(environ=home).socket_path == alive


def test_without_any_engine_the_error_names_what_was_looked_for(home: dict[str, str]):
    with pytest.raises(NoEngine, match=r"podman\.sock") as caught:
        choose_endpoint(environ=home)
    assert "DOCKER_HOST" in caught.value.hint


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("host:2375", "tcp://host:2375"),
        (":2375", "tcp://localhost:2375"),
        ("/run/x.sock", "unix:///run/x.sock"),
        ("ssh://ops@lab:22/run/x.sock", "ssh://ops@lab:22/run/x.sock"),
    ],
)
def test_short_forms_of_an_address_are_understood(written: str, meant: str, home: dict[str, str]):
    assert choose_endpoint(host=written, environ=home).url == meant


@pytest.mark.parametrize(
    "address", ["ftp://x", "nonsense", "unix://relative", "tcp://", "tcp://host:port", "npipe:////./x"]
)
def test_what_is_no_address_is_refused(address: str, home: dict[str, str]):
    with pytest.raises(InvalidInput):
        choose_endpoint(host=address, environ=home)


def test_host_and_context_together_make_no_sense(home: dict[str, str]):
    with pytest.raises(InvalidInput):
        choose_endpoint(host="tcp://a:1", context="b", environ=home)


def test_certificates_are_found_as_the_docker_cli_finds_them(home: dict[str, str], tmp_path: Path):
    directory = tmp_path / "certs"
    directory.mkdir()
    (directory / "ca.pem").touch()
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/cert.pem").touch()
    tcp = {**home, "DOCKER_HOST": "tcp://h:2376"}
    assert choose_endpoint(environ=tcp).tls is None
    given = choose_endpoint(environ={**tcp, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(directory)})
    assert given.tls == TlsFiles(ca=directory / "ca.pem")
    trusting = choose_endpoint(environ={**tcp, "DOCKER_TLS": "1"})
    assert trusting.tls == TlsFiles(cert=tmp_path / ".docker/cert.pem", verify=False)


def test_a_context_brings_its_own_certificates(home: dict[str, str]):
    context(home, "safe", "tcp://h:2376", certificates=True)
    context(home, "lax", "tcp://h:2376", skip_verify=True)
    safe = choose_endpoint(context="safe", environ=home).tls
    assert safe is not None
    assert [file.name for file in (safe.ca, safe.cert, safe.key) if file] == ["ca.pem", "cert.pem", "key.pem"]
    assert safe.verify
    assert choose_endpoint(context="lax", environ=home).tls == TlsFiles(verify=False)


def test_an_unknown_context_names_the_known_ones(home: dict[str, str]):
    context(home, "work", "tcp://work:2375")
    with pytest.raises(NotFound, match="no such context: wrok") as caught:
        choose_endpoint(context="wrok", environ=home)
    assert caught.value.hint == "contexts are: default, work"


def test_a_broken_configuration_is_named_not_ignored(home: dict[str, str]):
    file = Path(home["HOME"], ".docker/config.json")
    file.parent.mkdir()
    file.write_text("{ nonsense")
    with pytest.raises(ConfigError, match=r"config\.json"):
        choose_endpoint(environ=home)


def test_choosing_a_context_keeps_the_rest_of_the_configuration(home: dict[str, str]):
    context(home, "work", "tcp://work:2375")
    file = Path(home["HOME"], ".docker/config.json")
    file.write_text('{"auths": {"r": {"auth": "c2VjcmV0"}}, "detachKeys": "ctrl-x"}')
    contexts = Contexts.of_user(home)
    contexts.use("work")
    assert contexts.current() == "work"
    assert [result.name for result in contexts.list()] == ["work"]
    contexts.use("default")
    assert json.loads(file.read_text()) == {"auths": {"r": {"auth": "c2VjcmV0"}}, "detachKeys": "ctrl-x"}
    with pytest.raises(NotFound):
        contexts.use("nowhere")


def test_the_embedded_engine_comes_after_engines_that_answer_and_before_sockets_without_a_listener(
    home: dict[str, str],
):
    own = engine_choice.EMBEDDED_SOCKET  # type: ignore[attr-defined] # the name that the fixture patches
    dead, alive = Path(home["XDG_RUNTIME_DIR"], "docker.sock"), Path(home["XDG_RUNTIME_DIR"], "podman/podman.sock")
    listening(dead).close()
    with listening(own):
        result = choose_endpoint(environ=home)
        assert (result.socket_path, result.origin) == (own, "embedded engine")
        with listening(alive):
            assert choose_endpoint(environ=home).socket_path == alive
    assert choose_endpoint(environ=home).socket_path == dead
