"""Go templates as users of the docker CLI type them after `--format`: the part of text/template that they use."""
