"""A simulated newsroom and its readers, whose truth is known, as a log."""
