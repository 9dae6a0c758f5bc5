"""Films: one person edited through all frames, without flicker."""
