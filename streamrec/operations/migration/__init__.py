"""Profiles and articles to another vector space: a second deployment beside the first, and the cut-over."""
