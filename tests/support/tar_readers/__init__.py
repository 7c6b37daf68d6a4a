"""How others read a tar archive: Go (Docker Engine), GNU tar, libarchive (bsdtar) and Python's tarfile."""
