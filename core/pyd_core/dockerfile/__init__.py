"""The Dockerfile: parser, expansion, checks and ignore files. Pure; reads no files and speaks to no engine."""
