"""Ways to find new directions in a generator, and to see what they do."""
