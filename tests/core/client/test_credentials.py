"""Credentials for registries, kept where the docker CLI keeps them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from pyd_core.client.credentials import Logins, RegistryCredentials, credentials_header
from pyd_core.errors import ConfigError

HELPER = """#!/bin/sh
case "$1" in
get) read -r server; cat "$0.$server" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
store) cat > "$0.reg.example" ;;
erase) read -r server; rm "$0.$server" ;;
esac
"""


@pytest.fixture
def logins(tmp_path: Path) -> Logins:
    return Logins(tmp_path)


def config(logins: Logins) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(logins._file.read_bytes())
    return content


def test_what_is_kept_is_found_by_image_and_forgotten(logins: Logins):
    assert logins.for_image("reg.example/app") is None
    logins._file.write_text('{"psFormat": "mine"}')
    assert logins.save("reg.example", RegistryCredentials(username="me", password="a:b")) == ""
    kept = base64.b64encode(b"me:a:b").decode()
    assert config(logins) == {"psFormat": "mine", "auths": {"reg.example": {"auth": kept}}}
    assert logins.for_image("reg.example/app:1") == RegistryCredentials(
        username="me", password="a:b", serveraddress="reg.example"
    )
    assert logins.for_image("other.example/app") is None
    assert logins.remove("reg.example")
    assert not logins.remove("reg.example")
    assert config(logins) == {"psFormat": "mine", "auths": {}}


def test_the_public_registry_goes_by_its_old_name(logins: Logins):
    logins.save("", RegistryCredentials(username="me", identitytoken="t"))
    assert list(config(logins)["auths"]) == ["https://index.docker.io/v1/"]
    result = logins.for_image("debian")
    assert result == RegistryCredentials(username="me", identitytoken="t", serveraddress="https://index.docker.io/v1/")
    assert list(logins.all()) == ["https://index.docker.io/v1/"]


def test_a_program_keeps_them(logins: Logins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "docker-credential-here"
    program.write_text(HELPER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    logins._file.write_text('{"credsStore": "here"}')
    assert logins.get("reg.example") is None
    assert logins.save("reg.example", RegistryCredentials(username="me", password="word")) == "here"
    assert config(logins) == {"credsStore": "here"}
    result = logins.get("reg.example")
    assert result is not None
    assert (result.username, result.password) == ("me", "word")
    assert logins.remove("reg.example")
    assert logins.get("reg.example") is None


def test_a_program_that_is_not_there_is_named(logins: Logins):
    logins._file.write_text('{"credHelpers": {"reg.example": "nowhere"}}')
    with pytest.raises(ConfigError, match="docker-credential-nowhere"):
        logins.get("reg.example")


def test_headers_carry_credentials_as_the_contract_says():
    [value] = credentials_header(RegistryCredentials(username="ü?", password="p")).values()
    assert json.loads(base64.urlsafe_b64decode(value)) == {"username": "ü?", "password": "p"}
    assert credentials_header(None) == {}
