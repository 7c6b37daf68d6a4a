"""The toolbox packs: which tools a debug shell brings along."""
