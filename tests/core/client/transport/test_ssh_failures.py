import pytest

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import ssh_failures
from pyd_core.errors import EngineUnavailable, PydError, Refused

LAB = Endpoint(url="ssh://ops@lab:2222", origin="context lab")

CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Host key verification failed."""


@pytest.mark.parametrize(
    ("stderr", "kind", "reference"),
    [
        ("Host key verification failed.\r\n", Refused, "ssh-host-key-unknown"),
        (CHANGED, Refused, "ssh-host-key-changed"),
        ("banner\nops@lab: Permission denied (publickey,password).", Refused, "ssh-authentication"),
        ("ssh: Could not resolve hostname lab: Name or service not known", EngineUnavailable, "ssh-unreachable"),
        ("ssh: connect to host lab port 2222: Connection refused", EngineUnavailable, "ssh-unreachable"),
        ("ssh: connect to host lab port 2222: Connection timed out", EngineUnavailable, "ssh-unreachable"),
        ("kex_exchange_identification: Connection closed by remote host", EngineUnavailable, "ssh-unreachable"),
        ("Bad owner or permissions on /home/x/.ssh/config", EngineUnavailable, "ssh-failed"),
        ("", EngineUnavailable, "ssh-failed"),
    ],
)
def test_what_ssh_says_becomes_what_happened_and_what_to_do(stderr: str, kind: type[PydError], reference: str):
    error = ssh_failures.from_stderr(stderr, LAB)
    assert type(error) is kind
    assert error.reference == reference
    assert "ssh://ops@lab:2222 (context lab)" in error.message
    assert "\n" not in error.message
    assert "lab" in error.hint


@pytest.mark.parametrize(
    ("answers", "path", "reference"),
    [
        ({"denied": "/var/run/docker.sock"}, "", "engine-permission"),
        ({"socket": "/var/run/docker.sock"}, "", "ssh-no-answer"),
        ({}, "", "ssh-no-engine"),
        ({}, "/run/x.sock", "ssh-no-engine"),
    ],
)
def test_a_host_without_a_usable_engine(answers: dict[str, str], path: str, reference: str):
    error = ssh_failures.no_engine(LAB, answers, path)
    assert error.reference == reference
    assert error.hint
