"""The rows of help: how they line up, and what is left out on a provider."""

from __future__ import annotations

from pyd_core.cri.node_client import NodeClient
from pyd_core.kube.cluster_client import ClusterClient
from pyd_tui.config.settings import UserCommand
from pyd_tui.dashboard.input.key_bindings import Keys
from pyd_tui.dashboard.render.help import help_lines, sections
from pyd_tui.dashboard.render.help_provider import HelpProvider

CLUSTER = HelpProvider(family="cluster", lacks=ClusterClient.lacks)
NODE = HelpProvider(family="node", lacks=NodeClient.lacks)


def effects(provider: HelpProvider, title: str) -> dict[str, str]:
    return {
        written: does for known, rows in sections(Keys(), (), provider) if known == title for written, does, _ in rows
    }


def test_help_of_a_cluster_leaves_out_what_only_engines_do_and_names_its_own_views():
    views = effects(CLUSTER, "Views")
    assert views["1…0"] == "containers, workloads, services, nodes …"
    assert "7…0" not in views
    assert {"s", "p", "R", "U", "A", "C", "I", "Y"}.isdisjoint(effects(CLUSTER, "Containers"))
    assert effects(CLUSTER, "Other views")["l"] == "logs of a workload"
    commands = effects(CLUSTER, "Commands, behind :")
    assert commands["cordon"] == "keep new pods away from a node"
    assert {"rename", "update", "compose", "pull", "tag"}.isdisjoint(commands)


def test_help_of_a_node_keeps_the_removal_of_images():
    assert effects(NODE, "Views")["1…3"] == "containers, images, events"
    assert "x" in effects(NODE, "Other views")
    assert "x" not in effects(NODE, "Containers")
    assert "cordon" not in effects(NODE, "Commands, behind :")


def test_the_effects_of_a_section_line_up_and_none_is_cut():
    keys = Keys(commands=(UserCommand(name="say", run="true", help="speak"), UserCommand(name="transmogrify", run="x")))
    for room in (60, 112, 200):
        text = ["".join(span.text for span in line) for line in help_lines(room, keys)]
        assert all(len(line.rstrip()) <= room for line in text)
    lines = ["".join(span.text for span in line) for line in help_lines(60, keys)]
    own = lines[lines.index("  Your commands") + 1 :][:2]
    assert own[0].index("speak") == own[1].index("your own")
