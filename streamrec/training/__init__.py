"""From recorded impressions to a model artifact, and how good it is."""
