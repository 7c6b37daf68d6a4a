"""What `-v`, `--mount`, `--tmpfs` and `--volumes-from` mean, on Docker Engine and on this one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.docker import LONE, Docker, busybox_files

RUN = ("run", "--rm", *LONE)


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    """With a directory that new volumes get, and one that is a volume."""
    files = {**busybox_files(), "foo/bar": b"of the image\n"}
    return both.image("rules", files, 'CMD ["/bin/sh"]', "VOLUME /vol", directories=("tmp", "etc", "foo", "vol"))


@pytest.fixture
def volume(both: Docker) -> str:
    return both("volume", "create", "--label", f"pyd.test={both.prefix}", both.name("rules"))


def refused(both: Docker, *arguments: str) -> str:
    done = subprocess.run(["docker", "-H", both.host, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode != 0, done
    return done.stderr


@pytest.mark.parametrize("mode", ["copy", "volume-nocopy"])
def test_a_mode_that_docker_doesnt_know_is_refused(both: Docker, image: str, volume: str, mode: str):
    assert f"invalid mode: {mode}" in refused(both, *RUN, "-v", f"{volume}:/foo:{mode}", image, "true")
    both("volume", "rm", volume)


@pytest.mark.parametrize("mode", ["copy", "nocopy", "rshared"])
def test_volumes_from_says_nothing_of_copying_and_propagation(both: Docker, image: str, mode: str):
    other = both.create("other", image, "true", options=(*LONE, "-v", "/foo"))
    assert f"invalid mode: {mode}" in refused(both, *RUN, f"--volumes-from={other}:{mode}", image, "true")
    both("rm", "-v", other)


def test_volumes_from_copies_nothing(both: Docker, image: str):
    """The image of the container that made the volume has nothing there; the other's has."""
    plain = both.image("plain", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    other = both.create("other", plain, "true", options=(*LONE, "-v", "/foo"))
    assert both(*RUN, f"--volumes-from={other}", image, "ls", "/foo") == ""
    both("rm", "-v", other)


def test_nameless_volumes_stay_nameless_with_those_who_borrow_them(both: Docker, image: str, volume: str):
    owner = both.create("owner", image, "true", options=(*LONE, "-v", "/foo", "-v", f"{volume}:/named"))
    borrower = both.create("borrower", image, "true", options=(*LONE, f"--volumes-from={owner}"))
    nameless = {mount["Name"] for mount in both.inspect(borrower)["Mounts"]} - {volume}
    both("rm", owner)
    both("rm", "-v", borrower)
    left = set(both("volume", "ls", "-q").splitlines())
    assert (volume in left, nameless & left) == (True, set())
    both("volume", "rm", volume)


def test_a_volume_is_filled_when_the_container_is_created(both: Docker, image: str, volume: str):
    """Not when it starts: what was taken out in between stays out."""
    name = both.create("filled", image, "ls", "/foo", options=(*LONE, "-v", f"{volume}:/foo"))
    assert both(*RUN, "-v", f"{volume}:/v:nocopy", image, "cat", "/v/bar") == "of the image"
    both(*RUN, "-v", f"{volume}:/v:nocopy", image, "rm", "/v/bar")
    assert both("start", "-a", name) == ""
    both("rm", name)
    both("volume", "rm", volume)


def test_files_copied_to_a_volume_keep_their_links_owners_and_modes(both: Docker, image: str, volume: str):
    script = (
        "mkdir -p /src/sub; cd /src; echo one > a; ln a b; ln -s a c; mkfifo d; chown 5:6 a sub; chmod 4751 a; "
        "chmod 1777 sub; chown 7:8 .; chmod 750 ."
    )
    name = both.create("source", image, "sh", "-c", script, options=LONE)
    both("start", "-a", name)
    image_name = both.name("source") + ":1"
    both("commit", name, image_name)
    look = "cd /src; stat -c '%n %F %h %u %g %a' a b c d sub ."
    listed = both(*RUN, "-v", f"{volume}:/src", image_name, "sh", "-c", look)
    assert listed.splitlines() == [
        "a regular file 2 5 6 4751",
        "b regular file 2 5 6 4751",
        "c symbolic link 1 0 0 777",
        "d fifo 1 0 0 644",
        "sub directory 2 5 6 1777",
        ". directory 3 7 8 750",
    ]
    both("rm", name)
    both("rmi", image_name)
    both("volume", "rm", volume)


def test_a_tmpfs_of_its_own_option_is_no_mount_and_hides_the_images_volume(both: Docker, image: str):
    name = both.create(
        "tmpfs", image, "sh", "-c", "mount | grep -c 'tmpfs on /vol '", options=(*LONE, "--tmpfs", "/vol")
    )
    assert both.inspect(name)["Mounts"] == []
    assert both("start", "-a", name) == "1"
    both("rm", name)
    name = both.create("tmpfs", image, "true", options=(*LONE, "--mount", "type=tmpfs,target=/vol"))
    assert [(mount["Type"], mount["Destination"]) for mount in both.inspect(name)["Mounts"]] == [("tmpfs", "/vol")]
    both("rm", name)


@pytest.mark.parametrize("below", ["", "/volumes", ".."])
def test_binds_of_the_engines_own_directory_get_what_it_unmounts(both: Docker, image: str, below: str):
    root = both("info", "-f", "{{.DockerRootDir}}")
    source = str(Path(root).parent) if below == ".." else root + below
    for options, expected in (
        (("-v", f"{source}:/r"), "rslave"),
        (("-v", f"{source}:/r:rshared"), "rshared"),
        (("--mount", f"type=bind,source={source},target=/r"), "rslave"),
    ):
        name = both.create("bound", image, "ls", "/r", options=(*LONE, *options))
        propagation = {mount["Destination"]: mount["Propagation"] for mount in both.inspect(name)["Mounts"]}
        assert propagation["/r"] == expected
        if expected == "rslave":
            both("start", "-a", name)
        both("rm", "-v", name)
    for mode in ("private", "rprivate", "slave"):
        words = refused(both, "create", "-v", f"{source}:/r:{mode}", image)
        assert 'must use either propagation mode "rslave" or "rshared"' in words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("foobar=1",), 'invalid option: "foobar"'),
        (("type=tmpfs",), 'missing required option: "device"'),
        (("device=/tmp",), 'missing required option: "type"'),
    ],
)
def test_a_volumes_options_are_checked_in_dockers_words(both: Docker, options: tuple[str, ...], words: str):
    given = [part for option in options for part in ("--opt", option)]
    assert words in refused(both, "volume", "create", *given, both.name("wrong"))
