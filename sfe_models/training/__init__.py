"""Training of every network of the system, one stage per file; the core never imports it."""
