"""`pyd inspect`: objects of any kind, as the engine describes them."""

from __future__ import annotations

from pyd_tui.cli.objects.inspect import inspect_command
from pyd_tui.cli.objects.names import ContainerName

command = inspect_command(
    ContainerName(),
    "",
    "objects",
    (
        ("pyd inspect web", "show a container, or an image, network or volume of that name"),
        ("pyd inspect --type image nginx:1.27", "show an image"),
        ("pyd inspect -f '{{.State.Status}}' web", "show one field"),
        ("pyd inspect web | jq '.[0].State'", "pass the JSON to another program"),
    ),
)
