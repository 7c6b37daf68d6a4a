"""How property tests run here: by what they find, not by how long it took on a busy machine."""

from hypothesis import settings

settings.register_profile("pyd", deadline=None, database=None)
settings.load_profile("pyd")
