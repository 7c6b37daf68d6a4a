from __future__ import annotations

import pytest

from pyd_core.debug.pod.options import PodDebugOptions
from pyd_core.errors import InvalidInput


def test_contradictions_are_refused():
    with pytest.raises(InvalidInput):
        PodDebugOptions(target="pod/x", line="a", command=("b",))
