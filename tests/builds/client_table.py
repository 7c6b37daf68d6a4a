"""Build commands of real docker clients on a pydd of their own, as a table: which of them work.

    PYTHONPATH=tests python tests/builds/client_table.py NAME=DOCKER:CONFIG...

NAME heads a column, DOCKER is the client's program, and CONFIG the directory with its plugins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from support.docker import Docker, busybox_files, environment
from support.pydd import Pydd
from support.registry import Registry

TIMEOUT_S = 120
UNKNOWN = ("unknown flag", "unknown command", "is not a docker command", "Usage:  docker buildx [OPTIONS] COMMAND")
"""What clients print for commands and options that they don't have."""
REFUSED = "refused"
"""What a row expects that no builder without a scanner can do."""


@dataclass(frozen=True)
class Row:
    """A command; each line of a script must succeed.

    Attributes:
        script: Shell lines with `$D` for docker, `$R` for the registry and `$BASE` for a base image.
        says: What the output must have.
        expects: Whether it must work, or be refused.
    """

    title: str
    script: str
    says: str = ""
    expects: str = ""
    variables: dict[str, str] = field(default_factory=dict)


ROWS = (
    Row("build .", "$D build -t x . && $D run --rm --network none x cat /who", "someone"),
    Row("build -q", "$D build -q .", "sha256:"),
    Row("build --target", "$D build --progress plain --no-cache --target first .", "[first 2/2]"),
    Row("build -f - .", "printf 'FROM scratch\\nCOPY a /\\n' | $D build -q -f - .", "sha256:"),
    Row("build - < Dockerfile", "printf 'FROM '$BASE'\\n' | $D build -q -", "sha256:"),
    Row("build - < context.tar", "tar c . | $D build -q -", "sha256:"),
    Row("build --build-arg --label", "$D build -t x --build-arg WHO=me --label l=v . && "
        "$D run --rm --network none x cat /who && $D inspect -f '{{.Config.Labels.l}}' x", "me\nv"),
    Row("build --secret", "$D build --progress plain --no-cache --secret id=tok,env=TOK -f secret.Dockerfile .",
        "got 6", variables={"TOK": "secret"}),
    Row("build --ssh", "eval $(ssh-agent) >/dev/null; ssh-keygen -q -t ed25519 -N '' -f key; ssh-add -q key; "
        "$D build --progress plain --no-cache --ssh default -f ssh.Dockerfile . ; rc=$?; kill $SSH_AGENT_PID; exit $rc",
        "socket there"),
    Row("build --no-cache-filter", "$D build --progress plain --no-cache-filter first .", "[first 2/2]"),
    Row("build --pull", "$D build --pull --progress plain -f pull.Dockerfile --build-arg R=$R .", "/base:1"),
    Row("build --network none", "$D build --no-cache --network none ."),
    Row("buildx build --network host", "$D buildx build --allow network.host --network host --no-cache ."),
    Row("build --add-host", "$D build --progress plain --no-cache --add-host a:10.1.2.3 --add-host b:host-gateway "
        "-f hosts.Dockerfile .", "10.1.2.3\ta"),
    Row("build --ulimit --shm-size", "$D build --progress plain --no-cache --ulimit nofile=99 --shm-size 8m "
        "-f limits.Dockerfile .", "limit 99"),
    Row("build --iidfile --metadata-file", "$D buildx build --iidfile i --metadata-file m . && cat i m",
        "containerimage.config.digest"),
    Row("build -o type=local", "$D build -o out . && cat out/who", "someone"),
    Row("build -o type=tar", "$D build -o type=tar,dest=o.tar . && tar tf o.tar", "who"),
    Row("build -o -", "$D build -o - . | tar t", "who"),
    Row("buildx build -o type=oci", "$D buildx build -o type=oci,dest=o.tar . && tar tf o.tar", "index.json"),
    Row("buildx build -o type=oci,tar=false", "$D buildx build -o type=oci,dest=lay,tar=false . && cat lay/index.json",
        "manifests"),
    Row("buildx build -o type=docker", "$D buildx build -t y -o type=docker,dest=o.tar . && tar tf o.tar",
        "manifest.json"),
    Row("buildx build --push", "$D buildx build --push -t $R/pushed:1 . && $D buildx imagetools inspect $R/pushed:1",
        "Manifests:"),
    Row("buildx build -o type=registry", "$D buildx build -o type=registry -t $R/pushed:2 ."),
    Row("buildx build -o type=cacheonly", "$D buildx build -o type=cacheonly ."),
    Row("buildx build --annotation", "$D buildx build --push --annotation a.b=c -t $R/pushed:3 . && "
        "$D buildx imagetools inspect --raw $R/pushed:3 > raw; cat raw", "manifests"),
    Row("buildx build --provenance=mode=max", "$D buildx build --push --provenance=mode=max -t $R/pushed:4 . && "
        "$D buildx imagetools inspect $R/pushed:4 --format '{{json .Provenance}}'", "llbDefinition"),
    Row("buildx build --provenance=false", "$D buildx build --push --provenance=false -t $R/pushed:5 ."),
    Row("buildx build --sbom", "$D buildx build --sbom=true -o type=oci,dest=s.tar .", "no SBOM scanner", REFUSED),
    Row("--build-arg BUILDKIT_INLINE_CACHE=1", "$D build --no-cache --build-arg BUILDKIT_INLINE_CACHE=1 "
        "-t $R/inline:1 . && $D push -q $R/inline:1 && $D rmi $R/inline:1 && $D builder prune -af >/dev/null && "
        "$D build --progress plain --cache-from $R/inline:1 .", "CACHED"),
    Row("buildx build --cache-to type=inline", "$D buildx build --no-cache --cache-to type=inline --push "
        "-t $R/inline:2 . && $D builder prune -af >/dev/null && "
        "$D buildx build --progress plain --cache-from $R/inline:2 .", "CACHED"),
    Row("buildx build --cache-to type=registry", "$D buildx build --no-cache "
        "--cache-to type=registry,ref=$R/cache:1,mode=max . && "
        "$D builder prune -af >/dev/null && "
        "$D buildx build --progress plain --cache-from $R/cache:1 .", "CACHED"),
    Row("buildx build --cache-to type=local", "$D buildx build --no-cache --cache-to type=local,dest=c,mode=max . && "
        "$D builder prune -af >/dev/null && $D buildx build --progress plain --cache-from type=local,src=c .",
        "CACHED"),
    Row("buildx build --build-context DIRECTORY", "mkdir -p other; echo from-other > other/a; "
        "$D buildx build --build-context other=other -f named.Dockerfile -o out2 . && cat out2/a", "from-other"),
    Row("buildx build --build-context docker-image://", "$D build -q -t named . >/dev/null && "
        "$D buildx build --build-context other=docker-image://named -f named.Dockerfile -o out3 . && cat out3/a",
        "content"),
    Row("buildx build --build-context oci-layout://", "$D buildx build -o type=oci,dest=l2,tar=false -t lay:1 . && "
        "$D buildx build --build-context other=oci-layout://l2:1 -f named.Dockerfile -o out4 . && cat out4/a",
        "content"),
    Row("buildx build --check", "$D buildx build --check .", "Check complete"),
    Row("buildx build --call=outline", "$D buildx build --call=outline .", "WHO"),
    Row("buildx build --call=targets", "$D buildx build --call=targets .", "first"),
    Row("build --progress=rawjson", "$D build --progress=rawjson .", "vertexes"),
    Row("buildx bake (HCL)", "$D buildx bake -f docker-bake.hcl --progress plain && "
        "$D run --rm --network none baked cat /who", "hcl"),
    Row("buildx bake (JSON) --set", "$D buildx bake -f bake.json --set app.args.WHO=set && "
        "$D run --rm --network none baked2 cat /who", "set"),
    Row("buildx bake (Compose)", "$D buildx bake -f compose.yaml"),
    Row("buildx bake --print", "$D buildx bake -f docker-bake.hcl --print", '"target"'),
    Row("buildx ls", "$D buildx ls", "running"),
    Row("buildx inspect", "$D buildx inspect", "BuildKit"),
    Row("buildx du", "$D buildx du", "Total"),
    Row("buildx du --verbose", "$D buildx du --verbose", "Last used"),
    Row("buildx prune", "$D build -q . >/dev/null; $D buildx prune -af", "Total"),
    Row("builder prune --filter", "$D build -q . >/dev/null; $D builder prune -f --filter until=24h", "Total"),
    Row("buildx history ls", "$D build -q . >/dev/null; $D buildx history ls", "Completed"),
    Row("buildx history inspect", "$D buildx history inspect", "Build"),
    Row("buildx history logs", "$D buildx history logs --progress plain", "#1"),
    Row("buildx history export", "$D buildx history export -o h.dockerbuild && ls -s h.dockerbuild", "h.dockerbuild"),
    Row("buildx history rm --all", "$D buildx history rm --all"),
    Row("compose build", "$D compose -p $P build", ""),
    Row("compose up --build", "$D compose -p $P up --build --abort-on-container-exit; rc=$?; "
        "$D compose -p $P down -t 0 --rmi local; exit $rc", "composed"),
    Row("compose build --no-cache --build-arg", "$D compose -p $P build --no-cache --build-arg WHO=me"),
    Row("DOCKER_BUILDKIT=0 build", "$D build -t old .", "Successfully built", variables={"DOCKER_BUILDKIT": "0"}),
    Row("a failing RUN", "$D build --progress plain -f failing.Dockerfile .", "exit code: 3", REFUSED),
    Row("a missing file of COPY", "$D build --progress plain -f missing.Dockerfile .", ">>> COPY nowhere /", REFUSED),
)  # fmt: skip

FILES = {
    "a": "content\n",
    "Dockerfile": "FROM {base} AS first\nCOPY a /a\nFROM first\nARG WHO=someone\nRUN echo $WHO > /who\n",
    "secret.Dockerfile": "FROM {base}\nRUN --mount=type=secret,id=tok echo got $(wc -c < /run/secrets/tok)\n",
    "ssh.Dockerfile": "FROM {base}\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo socket there\n",
    "hosts.Dockerfile": "FROM {base}\nRUN cat /etc/hosts; grep -q b /etc/hosts\n",
    "limits.Dockerfile": "FROM {base}\nRUN echo limit $(ulimit -n)\n",
    "pull.Dockerfile": "ARG R\nFROM $R/base:1\n",
    "named.Dockerfile": "FROM scratch\nCOPY --from=other /a /a\n",
    "failing.Dockerfile": "FROM {base}\nRUN exit 3\n",
    "missing.Dockerfile": "FROM {base}\nCOPY nowhere /\n",
    "docker-bake.hcl": 'variable "WHO" {{ default = "hcl" }}\ntarget "default" {{\n  args = {{ WHO = "${{WHO}}" }}\n'
    '  tags = ["baked"]\n}}\n',
    "bake.json": '{{"target": {{"app": {{"tags": ["baked2"]}}}}, "group": {{"default": {{"targets": ["app"]}}}}}}',
    "compose.yaml": "services:\n  web:\n    build: .\n    network_mode: none\n    stop_signal: KILL\n"
    '    command: ["echo", "composed"]\n',
}


@dataclass(frozen=True)
class ClientSet:
    """A docker client with its plugins."""

    name: str
    program: str
    config: str


def outcome(row: Row, client: ClientSet, host: str, directory: Path, variables: dict[str, str]) -> str:
    """Run a row and return its cell."""
    environ = environment(
        DOCKER_HOST=host,
        DOCKER_CONFIG=client.config,
        D=client.program,
        **{"DOCKER_BUILDKIT": "1"} | variables | row.variables,
    )
    try:
        done = subprocess.run(
            ["bash", "-c", row.script], cwd=directory, env=environ, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "hangs"
    output = done.stdout + done.stderr
    if any(words in output for words in UNKNOWN):
        return "not in this client"
    works = row.says in output and bool(done.returncode) == (row.expects == REFUSED)
    if not works:
        sys.stderr.write(f"--- {client.name}: {row.title}: exit code {done.returncode}\n{output[-1500:]}\n")
    return (row.expects or "works") if works else "fails"


def write(line: str) -> None:
    """Write a line of the table."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Print the table."""
    clients = []
    for text in sys.argv[1:]:
        name, _, rest = text.partition("=")
        program, _, config = rest.partition(":")
        clients.append(ClientSet(name, program, config))
    title_part = os.environ.get("ROWS", "")
    with (
        Pydd.started() as engine,
        tempfile.TemporaryDirectory() as temporary,
        Registry.started(Path(temporary)) as registry,
        Docker(host=engine.host) as docker,
    ):
        base = docker.image("base", busybox_files(), 'CMD ["/bin/sh"]', "ENV PATH=/bin")
        docker("tag", base, f"{registry.address}/base:1")
        docker("push", "-q", f"{registry.address}/base:1")
        write("| command | " + " | ".join(client.name for client in clients) + " |")
        write("|---" * (len(clients) + 1) + "|")
        for row in ROWS:
            if title_part not in row.title:
                continue
            cells = []
            for client in clients:
                directory = Path(tempfile.mkdtemp(dir=temporary))
                for file, text in FILES.items():
                    (directory / file).write_text(text.format(base=base) if "Dockerfile" in file else text.format())
                variables = {"R": registry.address, "BASE": base, "P": docker.name("table")}
                cells.append(outcome(row, client, engine.host, directory, variables))
                shutil.rmtree(directory, ignore_errors=True)
            write(f"| {row.title} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
