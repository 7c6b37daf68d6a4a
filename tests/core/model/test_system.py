import pytest

from pyd_core.model.base import decode
from pyd_core.model.system import Version


@pytest.mark.parametrize(
    ("body", "product"),
    [
        (b'{"Platform": {"Name": "pydd"}, "Components": [{"Name": "Engine"}]}', "pydd"),
        (b'{"Platform": {"Name": "linux/amd64/debian-13"}, "Components": [{"Name": "Podman Engine"}]}', "Podman"),
        (b'{"Platform": {"Name": "Docker Engine - Community"}, "Components": [{"Name": "Engine"}]}', "Docker"),
        (b'{"Platform": {"Name": ""}, "Components": [{"Name": "Engine"}, {"Name": "runc"}]}', "Docker"),
        (b'{"Platform": null, "Components": null}', "Docker"),
        (b"{}", "Docker"),
    ],
)
def test_the_product_comes_from_the_platform_or_the_components(body: bytes, product: str):
    assert decode(body, Version).product == product
