"""Git repositories as build contexts: the texts that name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.daemon.build.repository import Repository
from pyd_core.errors import InvalidInput, Unsupported


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        ("https://host.example/a/b.git", Repository("https://host.example/a/b.git")),
        ("http://host.example:81/b.git#main", Repository("http://host.example:81/b.git", "main")),
        ("git://host.example/b#v1:dir", Repository("git://host.example/b", "v1", "dir")),
        ("git://host.example/b#:dir//sub/.", Repository("git://host.example/b", "HEAD", "dir/sub")),
        ("git://host.example/b#:/", Repository("git://host.example/b")),
        ("git@host.example:a/b.git#refs/pull/1/head", Repository("git@host.example:a/b.git", "refs/pull/1/head")),
        ("git@[::1]:b", Repository("git@[::1]:b")),
        ("github.com/a/b", Repository("https://github.com/a/b")),
        ("https://u:p@host.example/b.git#" + "0" * 40, Repository("https://u:p@host.example/b.git", "0" * 40)),
        ("https://host.example/b.git#a:b:c", Repository("https://host.example/b.git", "a", "b:c")),
        ("git://host.example/b#:x/../y", Repository("git://host.example/b", "HEAD", "y")),
    ],
)
def test_a_repository_is_read_as_docker_reads_it(text: str, repository: Repository):
    assert Repository.parse(text) == repository


@pytest.mark.parametrize(
    "text",
    [
        "https://host.example/context.tar",
        "https://host.example/b.git?x",
        "ssh://git@host.example/b.git",
        "file:///b.git",
        "ext::sh -c true",
        "/b.git",
        "-u.git",
        "",
    ],
)
def test_addresses_that_docker_treats_as_no_repository_are_none(text: str):
    assert Repository.parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "https://host.example/b.git#--upload-pack=x",
        "https://host.example/b.git#+refs/heads/main",
        "https://host.example/b.git#a..b",
        "https://host.example/b.git#a b",
        "https://host.example/b.git#a~1",
        "https://host.example/b.git#main:..",
        "https://host.example/b.git#main:a/../../b",
        "https://host.example/b.git#main:a\0b",
        "https:///b.git",
        "https://-host/b.git",
        "https://host.example:x/b.git",
        "https://[::bad/b.git",
        "https://host.example/a b.git",
        "git://-oProxyCommand=x/b",
        "git://host.example",
        "git@-oProxyCommand=x:b",
        "git@host.example",
        "git@host.example::b",
        "git@host.example:-b",
        "git@host.example:b\n",
        "github.com/" + "x" * 3000,
    ],
)
def test_an_invalid_address_or_one_that_leads_out_is_refused(text: str):
    with pytest.raises(InvalidInput):
        Repository.parse(text)


async def test_git_is_named_with_its_package_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported) as caught:
        await Repository("git://host.example/b").clone(tmp_path)
    assert caught.value.hint == "apt-get install git"
