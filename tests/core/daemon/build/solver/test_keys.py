"""Cache keys: equal for equal work, and sensitive to everything that changes the result."""

from __future__ import annotations

from typing import Any

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.solver import keys
from support.llb import Llb


def _copy(**options: Any) -> ops_pb2.Op:
    llb = Llb()
    digest = llb.copy(llb.source("docker-image://a"), llb.source("local://context"), "/a", "/b", **options)
    return next(
        op for op in map(ops_pb2.Op.FromString, getattr(llb.definition, "def")) if op.HasField("file") and digest
    )


def test_inputs_count_by_their_keys_and_not_by_their_digests() -> None:
    op = _copy()
    other = ops_pb2.Op()
    other.CopyFrom(op)
    other.inputs[0].digest = "sha256:" + "1" * 64
    assert keys.operation_digest(op) == keys.operation_digest(other)
    operation = keys.operation_digest(op)
    assert keys.result_key(operation, ["a", "b"]) != keys.result_key(operation, ["b", "a"])
    assert keys.result_key(operation, ["ab", ""]) != keys.result_key(operation, ["a", "b"])


def test_each_option_of_a_copy_changes_the_key() -> None:
    variants: list[dict[str, Any]] = [
        {},
        {"mode": 0o644},
        {"src": "/c"},
        {"timestamp": 5},
        {"exclude_patterns": ["x"]},
        {"modeStr": "u+x"},
    ]
    assert len({keys.operation_digest(_copy(**variant)) for variant in variants}) == len(variants)


def test_proxies_do_not_change_the_key() -> None:
    op = ops_pb2.Op(exec=ops_pb2.ExecOp(meta=ops_pb2.Meta(args=["true"])))
    proxied = ops_pb2.Op()
    proxied.CopyFrom(op)
    proxied.exec.meta.proxy_env.http_proxy = "http://proxy"
    assert keys.operation_digest(op) == keys.operation_digest(proxied)


def test_only_the_source_of_a_copy_counts_by_content() -> None:
    assert list(keys.content_selections(_copy())) == [1]


def test_a_source_that_also_names_the_owner_counts_as_a_unit() -> None:
    op = _copy()
    op.file.actions[0].copy.owner.user.byName.name = "user"
    op.file.actions[0].copy.owner.user.byName.input = 1
    assert not keys.content_selections(op)


def test_read_only_mounts_count_by_content_and_others_do_not() -> None:
    op = ops_pb2.Op(exec=ops_pb2.ExecOp(meta=ops_pb2.Meta(args=["true"])))
    op.exec.mounts.add(input=0, dest="/", output=0)
    op.exec.mounts.add(input=1, dest="/src", output=-1, readonly=True, selector="/sub")
    op.exec.mounts.add(input=2, dest="/rw", output=-1)
    op.exec.mounts.add(input=3, dest="/off", output=-1, readonly=True, contentCache=ops_pb2.OFF)
    selections = keys.content_selections(op)
    assert list(selections) == [1]
    assert selections[1][0].path == "/sub"
