"""Ways to make a model smaller, one a file."""
