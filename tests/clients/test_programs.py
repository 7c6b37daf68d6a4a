"""Libraries and tools that drive an engine: each does its everyday work on Docker Engine and here alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clients import engine, node_with, python_with, run_script, seed
from support.docker import Docker
from support.missing import missing

pytestmark = pytest.mark.timeout(5400)  # what is fetched first, and suites that take minutes on an idle machine


@pytest.fixture(scope="module", params=["docker", "pydd"])
def docker(request: pytest.FixtureRequest) -> Iterator[Docker]:
    """An engine of these tests' own, with `alpine` and `busybox`."""
    with engine(request.param) as docker:
        seed(docker, "alpine:latest", "busybox:latest")
        yield docker


TESTCONTAINERS_PYTHON = """
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.waiting_utils import wait_for_logs

with Network() as network:
    command = "sh -c 'mkdir /w; echo hi >/w/f; echo ready; exec httpd -f -p 8080 -h /w'"
    server = DockerContainer("busybox:latest").with_command(command)
    with server.with_exposed_ports(8080).with_network(network).with_network_aliases("server") as server:
        wait_for_logs(server, "ready")
        print("port", int(server.get_exposed_port(8080)) > 0)
        print("exec", server.exec("cat /w/f").output.decode().strip())
        client = DockerContainer("busybox:latest").with_command("sleep 1000").with_network(network)
        with client:
            print("network", client.exec("wget -qO- http://server:8080/f").output.decode().strip())
"""


def test_testcontainers_for_python(docker: Docker, tmp_path: Path):
    bin_ = python_with(tmp_path / "environment", "testcontainers==4.15.0")
    script = tmp_path / "script.py"
    script.write_text(TESTCONTAINERS_PYTHON)
    output = run_script([bin_ / "python", script], docker, TESTCONTAINERS_RYUK_DISABLED="true")
    assert output.splitlines() == ["port True", "exec hi", "network hi"]


DOCKERODE = """
const Docker = require('dockerode');
const docker = new Docker();
(async () => {
  const made = await docker.createContainer({Image: 'busybox:latest', Cmd: ['sh', '-c', 'echo out; sleep 1000'],
    HostConfig: {Memory: 67108864}});
  await made.start();
  const about = await made.inspect();
  console.log('running', about.State.Running, about.HostConfig.Memory);
  const exec = await made.exec({Cmd: ['sh', '-c', 'echo $X'], Env: ['X=in'], AttachStdout: true, AttachStderr: true});
  const stream = await exec.start({});
  const parts = [];
  await new Promise(done => { stream.on('data', part => parts.push(part)); stream.on('end', done); });
  console.log('exec', Buffer.concat(parts).subarray(8).toString().trim(), (await exec.inspect()).ExitCode);
  const stats = await made.stats({stream: false});
  console.log('stats', stats.memory_stats.limit, stats.pids_stats.current > 0);
  console.log('listed', (await docker.listContainers({filters: {id: [made.id]}})).length);
  await made.kill();
  console.log('wait', (await made.wait()).StatusCode);
  await made.remove();
  const network = await docker.createNetwork({Name: 'node', Labels: {a: 'b'}});
  console.log('network', (await network.inspect()).Labels.a);
  await network.remove();
  try { await docker.getContainer('nosuch').inspect(); } catch (error) { console.log('error', error.statusCode); }
})();
"""


def test_dockerode(docker: Docker, tmp_path: Path):
    node = shutil.which("node") or missing("node")
    directory = node_with(tmp_path / "modules", "dockerode@4")
    script = directory / "script.js"
    script.write_text(DOCKERODE)
    output = run_script([str(node), script], docker)
    assert output.splitlines() == [
        "running true 67108864", "exec in 0", "stats 67108864 true", "listed 1", "wait 137", "network b", "error 404",
    ]  # fmt: skip


AIODOCKER = """
import asyncio, aiodocker

async def main():
    async with aiodocker.Docker() as docker:
        made = await docker.containers.create_or_replace("aio", {"Image": "busybox:latest", "Cmd": ["sleep", "1000"]})
        await made.start()
        about = await made.show()
        print("nulls", about["HostConfig"]["CapAdd"], about["Config"]["Entrypoint"], about["ExecIDs"])
        run = await made.exec(cmd=["echo", "in"])
        async with run.start(detach=False) as stream:
            print("exec", (await stream.read_out()).data.decode().strip())
        print("stats", (await made.stats(stream=False))[0]["pids_stats"]["current"])
        await made.kill()
        print("wait", (await made.wait())["StatusCode"])
        await made.delete()
        volume = await docker.volumes.create({"Name": "aio", "Labels": {"a": "b"}})
        print("volume", (await volume.show())["Labels"])
        await volume.delete()

asyncio.run(main())
"""


def test_aiodocker(docker: Docker, tmp_path: Path):
    bin_ = python_with(tmp_path / "environment", "aiodocker==0.26.0")
    script = tmp_path / "script.py"
    script.write_text(AIODOCKER)
    output = run_script([bin_ / "python", script], docker)
    assert output.splitlines() == ["nulls None None None", "exec in", "stats 1", "wait 137", "volume {'a': 'b'}"]


TESTCONTAINERS_NODE = """
const {GenericContainer, Network, Wait} = require('testcontainers');
(async () => {
  const network = await new Network().start();
  const made = await new GenericContainer('busybox:latest')
    .withCommand(['sh', '-c', 'echo ready; sleep 1000']).withNetwork(network).withNetworkAliases('me')
    .withWaitStrategy(Wait.forLogMessage('ready')).start();
  const ran = await made.exec(['nslookup', 'me']);
  console.log('exec', ran.exitCode);
  await made.copyContentToContainer([{content: 'hi', target: '/f'}]);
  console.log('copied', (await made.exec(['cat', '/f'])).output.trim());
  await made.stop();
  await network.stop();
})();
"""


def test_testcontainers_for_node(docker: Docker, tmp_path: Path):
    node = shutil.which("node") or missing("node")
    directory = node_with(tmp_path / "modules", "testcontainers@10")
    script = directory / "script.js"
    script.write_text(TESTCONTAINERS_NODE)
    variables = {"TESTCONTAINERS_RYUK_DISABLED": "true", "TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1"}
    output = run_script([str(node), script], docker, **variables)
    assert output.splitlines()[-2:] == ["exec 0", "copied hi"]


def test_the_devcontainer_command(docker: Docker, tmp_path: Path):
    node = shutil.which("node") or missing("node")
    modules = node_with(tmp_path / "modules", "@devcontainers/cli@0.89")
    directory = tmp_path / "project"
    (directory / ".devcontainer").mkdir(parents=True)
    configuration = {"image": "busybox:latest", "remoteUser": "root", "postCreateCommand": "touch /made"}
    (directory / ".devcontainer/devcontainer.json").write_text(json.dumps(configuration))
    command = [str(node), str(modules / "node_modules/@devcontainers/cli/devcontainer.js")]
    where = ["--workspace-folder", str(directory)]
    up = run_script([*command, "up", *where], docker)
    container = json.loads(up.splitlines()[-1])
    assert container["outcome"] == "success"
    assert run_script([*command, "exec", *where, "ls", "/made"], docker).strip() == "/made"
    docker("rm", "-f", container["containerId"])


PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - community.docker.docker_network: {name: ansible, labels: {a: b}}
    - community.docker.docker_volume: {name: ansible}
    - community.docker.docker_container: &container
        name: ansible
        image: busybox:latest
        pull: never
        command: sleep 1000
        networks: [{name: ansible, aliases: [me]}]
        volumes: ["ansible:/data"]
        env: {A: "1"}
        memory: 64m
        published_ports: ["127.0.0.1::80"]
        stop_signal: KILL
      register: first
    - community.docker.docker_container: *container
      register: second
    - community.docker.docker_container_exec: {container: ansible, command: "sh -c 'echo $A >/data/f; cat /data/f'"}
      register: ran
    - community.docker.docker_container_copy_into: {container: ansible, path: /etc/hostname, container_path: /copied}
      register: copied
    - community.docker.docker_container_copy_into: {container: ansible, path: /etc/hostname, container_path: /copied}
      register: copied_again
    - community.docker.docker_container_info: {name: ansible}
      register: about
    - community.docker.docker_container: {name: ansible, state: absent}
    - community.docker.docker_volume: {name: ansible, state: absent}
    - community.docker.docker_network: {name: ansible, state: absent}
    - ansible.builtin.copy:
        dest: "{{ lookup('env', 'RESULT') }}"
        content: "{{ first.changed }} {{ second.changed }} {{ ran.stdout }} {{ copied.changed }}
          {{ copied_again.changed }} {{ about.container.HostConfig.Memory }}"
"""


def test_ansible(docker: Docker, tmp_path: Path):
    bin_ = python_with(tmp_path / "environment", "ansible==12.*", "requests")
    book = tmp_path / "book.yml"
    book.write_text(PLAYBOOK)
    result = tmp_path / "result"
    run_script([bin_ / "ansible-playbook", book], docker, RESULT=str(result), LC_ALL="C.UTF-8")
    assert result.read_text().split() == ["True", "False", "1", "True", "False", str(64 << 20)]
