"""Go templates for `--format`: the part of text/template that users of the docker CLI need."""
