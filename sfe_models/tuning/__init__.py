"""One picture at a time: what an encoder finds, brought closer by optimisation."""
