"""Other readers of tar archives: Go (Docker Engine), GNU tar, libarchive (bsdtar) and Python's tarfile."""
