"""From profile and article to a probability of a click: retrieval, features, and the ranker that serves them."""
