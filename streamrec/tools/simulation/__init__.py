"""Input without producers: simulated readers and newsroom, and real logs in one common form."""
