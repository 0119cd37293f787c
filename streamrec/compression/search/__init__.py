"""The search for the smallest and fastest model within a quality budget."""
