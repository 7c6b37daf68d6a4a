"""Habits of Docker Engine's classic builder that images and scripts rely on, on both engines."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from support.api import Api
from support.docker import LABEL, Docker, busybox_files, environment

DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(scope="module")
def base(both: Docker) -> str:
    return both.image("habits", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def build(docker: Docker, context: Path | str, *options: str) -> str:
    """Build a directory, or a Dockerfile without a context, and return the output."""
    label = ("--label", f"{LABEL}={docker.prefix}")
    source, stdin = (str(context), "") if isinstance(context, Path) else ("-", context)
    environ = environment(DOCKER_HOST=docker.host, DOCKER_BUILDKIT="0")
    command = ["docker", "build", "--network", "none", *label, *options, source]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run(docker: Docker, image: str, script: str) -> str:
    return docker("run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", image, "-c", script)


@pytest.mark.parametrize(
    ("steps", "env"),
    [
        ("FROM {base}\nMAINTAINER me", [DEFAULT_PATH]),
        ("FROM {base}\nENV A=b", [DEFAULT_PATH, "A=b"]),
        ("FROM {base}\nENV PATH=/bin:$PATH", [DEFAULT_PATH.replace("=", "=/bin:")]),
        ("FROM {base}\nENV PATH=''", ["PATH="]),
        ("FROM scratch\nENV A=b", [DEFAULT_PATH, "A=b"]),
    ],
)
def test_images_have_the_default_path(both: Docker, base: str, steps: str, env: list[str]):
    name = both.name("path")
    build(both, steps.format(base=base), "-t", name)
    assert both.inspect(name)["Config"]["Env"] == env


def test_a_step_sees_the_default_path(both: Docker, base: str):
    build(both, f'FROM {base}\nENV OLD=$PATH\nRUN [ "$OLD" = "{DEFAULT_PATH.removeprefix("PATH=")}" ]')


@pytest.mark.parametrize(("step", "words"), [("CMD []", []), ("CMD", ["/bin/sh", "-c"]), ('CMD ["a"]', ["a"])])
def test_an_empty_command_differs_from_none(both: Docker, step: str, words: list[str]):
    name = both.name("cleared")
    build(both, f'FROM scratch\nENTRYPOINT ["/x"]\n{step}', "-t", name)
    assert both.inspect(name)["Config"]["Cmd"] == words


def test_a_run_step_with_an_empty_list_runs_the_command_of_the_image(both: Docker, base: str):
    build(both, f"FROM {base}\nCMD true\nRUN []")


def test_a_malformed_list_of_volumes_is_plain_words(both: Docker):
    name = both.name("volumes")
    build(both, 'FROM scratch\nVOLUME /a /b\nVOLUME ["/c"]\nVOLUME [/d /e]', "-t", name)
    assert set(both.inspect(name)["Config"]["Volumes"]) == {"/a", "/b", "/c", "[/d", "/e]"}


def test_the_order_of_exposed_ports_does_not_matter_to_the_cache(both: Docker):
    names = [both.name("exposed") for _ in range(2)]
    for name, ports in zip(names, ("80 2375", "2375 80"), strict=True):
        build(both, f"FROM scratch\nEXPOSE {ports}", "-t", name)
    assert both.inspect(names[0])["Id"] == both.inspect(names[1])["Id"]


def test_scratch_without_a_step_is_no_image(both: Docker):
    environ = environment(DOCKER_HOST=both.host, DOCKER_BUILDKIT="0")
    command = ["docker", "build", "-"]
    done = subprocess.run(command, input=b"FROM scratch", capture_output=True, check=False, env=environ)
    assert (done.returncode, b"No image was generated" in done.stderr) == (1, True)


def test_directories_that_a_copy_makes_belong_to_its_owner(both: Docker, base: str, tmp_path: Path):
    (tmp_path / "f").touch()
    (tmp_path / "Dockerfile").write_text(
        f"FROM {base}\nCOPY --chown=7:8 . /a\nCOPY --chown=7:8 f /b/\nCOPY f /c/\nRUN mkdir /d\nCOPY --chown=7:8 . /d"
    )
    name = both.name("owners")
    build(both, tmp_path, "-t", name)
    assert run(both, name, "stat -c %u:%g /a /b /c /d").split() == ["7:8", "7:8", "0:0", "0:0"]


def test_copies_from_a_stage_keep_their_owners(both: Docker, base: str):
    name = both.name("kept")
    setup = "RUN mkdir /d && touch /d/f /g && chown -R 7:8 /d /g"
    copies = "COPY --from=a /d /d\nCOPY --from=a /g /h/\nCOPY --from=a --chown=5 /g /i"
    build(both, f"FROM {base} AS a\n{setup}\nFROM {base}\n{copies}", "-t", name)
    assert run(both, name, "stat -c %u:%g /d /d/f /h /h/g /i").split() == ["0:0", "7:8", "0:0", "7:8", "5:5"]


@pytest.mark.parametrize("target", ["/../../..{}", "gone/sub", "/hop{}", "../{}/deeper"])
def test_a_link_that_leads_nowhere_is_followed_inside_the_image(both: Docker, base: str, tmp_path: Path, target: str):
    outside = Path(tempfile.mkdtemp(dir=tmp_path))
    context = tmp_path / "context"
    context.mkdir()
    (context / "f").write_text("inside")
    with tarfile.open(context / "links.tar", "w") as tar:
        for name, leads in (("link", target.format(outside)), ("hop", "/..")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, leads
            tar.addfile(entry)
    (context / "Dockerfile").write_text(f"FROM {base}\nADD links.tar /\nADD f /link/\nRUN cat /link/f")
    assert "inside" in build(both, context)
    assert list(outside.iterdir()) == []


def test_arguments_for_proxies_are_in_the_history_only_where_they_are_declared(both: Docker, base: str):
    name = both.name("proxies")
    options = ("--build-arg", "http_proxy=http://declared", "--build-arg", "HTTPS_PROXY=http://hidden")
    build(both, f"FROM {base}\nARG http_proxy\nRUN echo $http_proxy $HTTPS_PROXY", "-t", name, *options)
    history = both("history", "--no-trunc", name)
    assert ("http_proxy=http://declared" in history, "hidden" in history) == (True, False)


def test_containers_of_steps_are_kept_on_request(both: Docker, base: str):
    output = build(both, f"FROM {base}\nRUN echo kept", "--rm=false", "--no-cache")
    key = output.partition("Running in ")[2].split()[0]
    assert "Removed intermediate container" not in output
    assert both.inspect(key)["State"]["Status"] == "exited"
    both("rm", key)


def test_the_history_names_the_images_of_the_steps(both: Docker, base: str):
    name = both.name("steps")
    output = build(both, f"FROM {base}\nENV A=b\nENV C=d", "-t", name)
    steps = re.findall(r"^ ---> (\w{12})$", output, re.MULTILINE)
    assert len(steps) == 4  # with that of the label
    assert both("history", "-q", name).split()[:4] == steps[::-1]


def test_a_quiet_build_of_stages_prints_the_last_image(both: Docker, base: str):
    output = build(both, f"FROM {base} AS first\nENV A=b\nFROM first\nENV C=d", "-q")
    assert both.inspect(output.strip())["Config"]["Env"][-1] == "C=d"
    assert len(output.split()) == 1


def context_of(**files: str) -> bytes:
    """Pack a context."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def records(api: Api, body: bytes) -> list[dict[str, dict[str, str]]]:
    answer = api.post("/build", content=body, headers={"content-type": "application/x-tar"})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_stage_reports_its_image(both: Docker, base: str):
    """A stage that begins with ONBUILD triggers makes no image before its first step."""
    text = f"FROM {base} AS first\nENV A=b\nONBUILD ENV C=d\nFROM first\nLABEL {LABEL}={both.prefix}"
    with Api(both) as api:
        output = records(api, context_of(Dockerfile=text))
    first, last = (record["aux"]["ID"] for record in output if "aux" in record)
    assert both("history", "-q", "--no-trunc", last).split()[2] == first
    assert both.inspect(last)["Config"]["OnBuild"] is None


def test_a_dockerfile_may_have_a_lower_case_name(both: Docker, base: str):
    with Api(both) as api:
        output = records(api, context_of(dockerfile=f"FROM {base}\nLABEL {LABEL}={both.prefix}"))
    assert "aux" in output[-2]


def test_named_images_are_the_cache(both: Docker, base: str, tmp_path: Path):
    context = tmp_path / "context"
    context.mkdir()
    (context / "f").write_text(os.urandom(8).hex())
    (context / "Dockerfile").write_text(f"FROM {base}\nENV A=b\nADD f /\nRUN touch /made")
    name = both.name("cache")
    build(both, context, "-t", name)
    first = both.inspect(name)["Id"]
    assert build(both, context, "--cache-from", name).count("Using cache") == 4
    assert build(both, context, "-t", both.name("uncached"), "--cache-from", "nosuch").count("Using cache") == 0
    saved = tmp_path / "saved.tar"
    both("save", "-o", str(saved), name)
    both("rmi", name)
    both("load", "-i", str(saved))
    for _ in range(2):
        again = both.name("again")
        assert build(both, context, "-t", again, "--cache-from", name).count("Using cache") == 4
        assert both.inspect(again)["Id"] == first
    (context / "Dockerfile").write_text(f"FROM {base}\nENV A=b\nADD f /\nRUN touch /other")
    changed = both.name("changed")
    assert build(both, context, "-t", changed, "--cache-from", name).count("Using cache") == 2
    assert run(both, changed, "ls /made /other 2>/dev/null || true") == "/other"


def test_steps_see_volumes_and_what_they_change_there_is_lost(both: Docker, base: str):
    name = both.name("volumes")
    steps = [
        f"FROM {base}",
        "RUN mkdir -m 700 /data && echo kept > /data/f && ln -s /data /link",
        "VOLUME /data /fresh/run /link",
        "RUN touch /fresh/run/f && cat /data/f && echo gone > /data/f && touch /data/new",
        "RUN [ ! -e /fresh/run/f ] && [ ! -e /data/new ]",
    ]
    build(both, "\n".join(steps), "-t", name)
    assert run(both, name, "cat /data/f; ls /data; stat -c %a /data; ls /fresh/run") == "kept\nf\n700"
