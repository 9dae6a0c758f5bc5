"""The graph's view of the library: schemas, tensor layout, memory. No mathematics."""
