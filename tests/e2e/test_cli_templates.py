"""Templates print just what the docker CLI prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.docker import Docker
from support.pyd import Run

PS = """
{{.ID}} {{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Ports}}|
{{.Mounts}} {{.LocalVolumes}} {{.Networks}} {{.CreatedAt}} {{.Size}}
table {{.Names}}\\t{{.State}}\\t{{.Label "pyd.tier"}}
table {{.ID}}\\t{{.Image}}
{{json .Names}} {{json .State}}
{{upper .Names}} {{lower .State}} {{title .State}} {{len .ID}}
{{.Label "pyd.tier"}} {{.Label "no-such"}}|
{{if eq .State "running"}}up{{else}}down{{end}} {{if and .Names (ne .State "exited")}}both{{end}}
{{join (split .Names "-") "/"}} {{truncate .Image 3}} {{pad .State 2 1}}|
{{range $i, $part := split .State "n"}}{{$i}}={{$part}} {{end}}
{{printf "%-20s|%q|%5d" .State .State 7}} {{println .State}}
{{- .State -}} x {{/* nothing */}} {{"a\\"b"}} {{`c`}}
{{with .Label "pyd.tier"}}tier {{.}}{{end}}{{with .Label "none"}}no{{else}} none{{end}}
{{$name := .Names}}{{$name | printf "%s!"}} {{not true}} {{or "" "b"}} {{gt 3 2}}
""".strip().splitlines()

INSPECT = """
{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}
{{.Name}} {{json .Config.Cmd}} {{json .HostConfig.RestartPolicy}}
{{range .Config.Env}}{{println .}}{{end}}
{{range .Mounts}}{{.Source}}:{{.Destination}} {{.RW}}{{end}}
{{index .Config.Labels "pyd.tier"}} {{len .Config.Env}} {{index .Config.Cmd 0}}
{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}}{{end}}
{{.Config.Cmd}} {{.Config.Labels}} {{.HostConfig.Memory}}
{{if .State.Paused}}paused{{else if .State.Running}}runs{{else}}neither{{end}}
{{with .State.Health}}{{.Status}}{{else}}no health{{end}}
{{(index .Mounts 0).Type}} {{.Id}}
""".strip().splitlines()


@pytest.fixture(scope="module")
def container(docker: Docker, busybox: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    source: Path = tmp_path_factory.mktemp("mounted")
    options = ("--network", "none", "-l", "pyd.tier=web", "-v", f"{source}:/data:ro", "-e", "A=b", "-m", "64m")
    return docker.run("templates", busybox, "sleep", "600", options=options)


def test_ps_fills_templates_in_as_docker_does(run: Run, docker: Docker, container: str):
    for form in PS:
        line = ("ps", "-f", f"name={container}", "--format", form)
        assert run(*line).stdout.strip() == docker(*line), form


def test_inspect_fills_templates_in_as_docker_does(run: Run, docker: Docker, container: str):
    for form in INSPECT:
        line = ("inspect", "--format", form, container)
        done = run(*line)
        assert done.stdout.strip() == docker(*line), (form, done.stderr)


def test_lists_of_images_networks_and_volumes_fill_them_in_too(run: Run, docker: Docker, busybox: str, container: str):
    repository = busybox.rpartition(":")[0]
    for line in (
        ("images", repository, "--format", "{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}} {{.Digest}} {{.CreatedAt}}"),
        ("images", repository, "--no-trunc", "-q"),
        ("images", repository, "--format", "table {{.Repository}}\\t{{.Tag}}\\t{{.Size}}"),
        ("history", busybox, "--format", "{{.CreatedBy}} {{.Size}} {{.Comment}}"),
        ("network", "ls", "-f", "name=none", "--format", "{{.ID}} {{.Name}} {{.Driver}} {{.Scope}} {{.Internal}}"),
        ("network", "ls", "-f", "name=none", "--format", "json"),
        ("ps", "-f", f"name={container}", "--no-trunc", "-q"),
    ):
        ours = ("image", *line) if line[0] == "history" else line
        assert run(*ours).stdout.strip() == docker(*line), line


@pytest.mark.parametrize(
    "form", ["{{.Nope}}", "{{", "{{nope .ID}}", "{{.ID", "{{if .ID}}x", "{{end}}", "{{index .ID}}", '{{slice .ID "a"}}']
)
def test_a_wrong_template_is_told_in_a_line(run: Run, container: str, form: str):
    done = run("ps", "-f", f"name={container}", "--format", form)
    if form == "{{index .ID}}":
        assert done.returncode == 0
        return
    assert (done.returncode, done.stdout) == (1, "")
    assert "[bad-template]" in done.stderr
    assert "Traceback" not in done.stderr
