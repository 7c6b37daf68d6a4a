"""Sessions that are known beyond the process that began them: listed, left to themselves, come back to, ended."""
