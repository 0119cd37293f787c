"""Whom not to push to, and what not to push: one rule a file, one reason each."""
