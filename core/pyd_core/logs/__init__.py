"""What containers print: framing, following, merging, searching, and making it safe to show."""
