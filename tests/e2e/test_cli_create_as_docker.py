"""`pyd create` asks the engine for just what `docker create` asks for, over the docker CLI's options."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyd_core.model.base import encode
from pyd_tui.cli.commands.container.create import command
from pyd_tui.cli.containers.creation_options import CreateOptions
from pyd_tui.cli.containers.creation_request import create_body
from support.fake_engine import FakeEngine, answer, answer_json

LINES = """
-i
-t
-it
-a stdout
-a stdin -i
--name web
--hostname a --domainname b
-h host.example
-e A=1 -e B= -e "C=x y" -e KNOWN -e UNKNOWN -e A=2
--env-file env.list -e A=9
-l a=b -l c --label d=e=f
--label-file labels.list
-u 1000:1000 -w /srv
--entrypoint /bin/tool
--entrypoint ""
--stop-signal SIGINT --stop-timeout 3
--stop-timeout 0
-v /a:/b:ro -v vol:/c -v /anonymous -v ./here:/d -v /e:/f:rw,z
--volume /only --volumes-from other:ro --volume-driver local
--mount type=bind,source=/a,target=/b,readonly
--mount type=bind,src=/a,dst=/b,bind-propagation=rslave,bind-nonrecursive
--mount type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,bind-propagation=rprivate
--mount type=volume,source=data,target=/data,volume-nocopy
--mount type=volume,target=/data,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-label=a=b
--mount 'type=volume,src=v,dst=/d,"volume-opt=o=addr=1.2.3.4,rw"'
--mount type=volume,src=v,dst=/d,volume-subpath=sub
--mount type=tmpfs,destination=/run,tmpfs-size=64m,tmpfs-mode=1770
--mount target=/x
--mount type=bind,src=/a,dst=/b,readonly=false,consistency=cached
--tmpfs /run --tmpfs /tmp:size=10m,mode=1777
-p 80
-p 8080:80 -p 127.0.0.1:53:53/udp -p 127.0.0.1::81
-p 9000-9002:7000-7002 -p 9100-9110:80/sctp
-p [::1]:8080:80
-p 7000-7002
-p 8080:80 -p 8081:80
-p target=80,published=8080,protocol=udp
-P --expose 90 --expose 1000-1002/udp
--network host
--network none
--network bridge
--network default
--network my-net --network-alias web --network-alias app --ip 10.1.2.3 --ip6 fd00::3
--network name=my-net,alias=web,ip=10.1.2.3,driver-opt=a=b --network other
--network name=my-net,mac-address=02:42:ac:11:00:02,link-local-ip=169.254.1.1
--network container:abc
--net bridge --link-local-ip 169.254.1.1
--mac-address 02:42:ac:11:00:02
--network my-net --link a:b --link c
--link a:b
--add-host a:1.2.3.4 --add-host b=::1 --add-host c:[::1] --add-host gw:host-gateway
--dns 1.1.1.1 --dns-search example.com --dns-option ndots:2 --dns-opt timeout:1
--restart always
--restart on-failure:3
--restart unless-stopped
--restart no --rm
--rm
--memory 512m --memory-swap 1g --memory-reservation 256mb --memory-swappiness 10
-m 1.5gb --memory-swap -1
-m 64MiB --shm-size 128k
--cpus 1.5 --cpu-shares 512 --cpuset-cpus 0-1 --cpuset-mems 0
-c 100 --cpu-period 50000 --cpu-quota 25000 --cpu-rt-period 1000000 --cpu-rt-runtime 950000
--pids-limit 100
--pids-limit -1
--ulimit nofile=1024:2048 --ulimit core=-1 --ulimit nproc=3
--blkio-weight 300 --blkio-weight-device /dev/sda:200
--oom-kill-disable -m 64m
--oom-score-adj -500
--cap-add NET_ADMIN --cap-add sys_time --cap-drop ALL
--cap-add ALL --cap-drop CAP_MKNOD
--privileged
--read-only
--security-opt no-new-privileges --security-opt apparmor=unconfined
--security-opt seccomp=unconfined --security-opt label=disable --security-opt no-new-privileges:true
--security-opt seccomp=profile.json
--security-opt systempaths=unconfined
--group-add audio --group-add 100
--device /dev/null --device /dev/zero:/dev/z --device /dev/full:r --device /dev/tty:/dev/t:rw
--device vendor.example/class=name
--device-cgroup-rule 'c 13:* rwm'
--gpus all
--gpus 2
--gpus device=0
--gpus '"device=0,2","capabilities=compute,utility"'
--gpus count=1,driver=nvidia
--ipc host --pid host --uts host --userns host --cgroupns private --cgroup-parent /x
--pid container:abc --ipc shareable
--runtime runc --isolation default
--sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=1
--annotation a=b
--init
--health-cmd "curl -f localhost" --health-interval 30s --health-timeout 1m30s --health-start-period 500ms
--health-cmd probe --health-retries 3
--health-interval 5s --health-start-interval 1s
--no-healthcheck
--log-driver json-file --log-opt max-size=10m --log-opt max-file=3
--log-driver none
--storage-opt size=10G
--platform linux/amd64
--rm=false --init=true --privileged=true
--cidfile id.txt
""".strip().splitlines()

NAMED_BY_USERS = {"EndpointsConfig", "ExposedPorts", "Volumes", "Tmpfs", "Labels"}
"""Objects whose keys say something even without a value."""
TELLING = {"MaskedPaths", "ReadonlyPaths", "Entrypoint", "StopTimeout"}
"""Fields in which empty is another thing than not given."""


def spare(value: Any, name: str = "") -> Any:
    """Take out what means the same as nothing."""
    if isinstance(value, dict):
        fields = {key: spare(item, key) for key, item in value.items()}
        return {key: item for key, item in fields.items() if item or name in NAMED_BY_USERS or _is_set(key, item)}
    if isinstance(value, list):
        return [spare(item) for item in value]
    return value


def _is_set(key: str, item: Any) -> bool:
    return key in TELLING and item is not None


def settled(body: dict[str, Any]) -> dict[str, Any]:
    """The request without what is said in two ways: the docker CLI's lists in no order, its words for not given."""
    host = body["HostConfig"]
    if host.get("MemorySwappiness") == -1:
        del host["MemorySwappiness"]
    if host.get("ConsoleSize") == [0, 0]:
        del host["ConsoleSize"]
    body["Env"] = sorted(body.get("Env") or [])
    host["Binds"] = sorted(host.get("Binds") or [])
    fields: dict[str, Any] = spare(body)
    return fields


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeEngine]:
    response = answer_json({"Id": "f" * 64, "Warnings": []}, status="201 Created")
    ping = answer(b"OK", headers="Api-Version: 1.45\r\nOstype: linux\r\n")
    replies = {"/_ping": ping, "/containers/create": response}
    with FakeEngine(tmp_path_factory.mktemp("recorder") / "e.sock", replies) as engine:
        yield engine


@pytest.mark.parametrize("line", LINES)
def test_the_request_is_the_docker_clis(
    line: str, recorder: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import shlex

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KNOWN", "known value")
    Path("env.list").write_text("# comment\nA=1\n  B=two words\nKNOWN\nUNKNOWN\nEMPTY=\n")
    Path("labels.list").write_text("one=1\ntwo\n")
    Path("profile.json").write_text('{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}\n')
    words = [*shlex.split(line), "image:tag", "program", "--flag", "-x"]

    environment = {**os.environ, "DOCKER_HOST": recorder.url, "DOCKER_CONFIG": str(tmp_path)}
    before = len(recorder.requests)
    docker_run = subprocess.run(
        ["docker", "create", *words], capture_output=True, text=True, check=False, env=environment
    )
    assert docker_run.returncode == 0, docker_run.stderr
    head, _, body = recorder.requests[-1].partition(b"\r\n\r\n")
    assert len(recorder.requests) > before
    Path("id.txt").unlink(missing_ok=True)

    with command.make_context("create", words) as ctx:
        ours = encode(create_body(CreateOptions(**ctx.params)))
    assert settled(json.loads(ours)) == settled(json.loads(body))
    assert (f"name={ctx.params['name']}" in head.decode()) == bool(ctx.params["name"])


def test_limits_of_block_devices_are_sent_which_some_docker_clis_forget():
    words = ["--device-read-bps", "/dev/sda:1mb", "--device-write-iops", "/dev/sdb:5", "image"]
    with command.make_context("create", words) as ctx:
        host = json.loads(encode(create_body(CreateOptions(**ctx.params))))["HostConfig"]
    assert host["BlkioDeviceReadBps"] == [{"Path": "/dev/sda", "Rate": 2**20}]
    assert host["BlkioDeviceWriteIOps"] == [{"Path": "/dev/sdb", "Rate": 5}]
