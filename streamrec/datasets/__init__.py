"""Click logs in one common form: articles, events and impressions in order of time (records.Step).

A module a format; opening.py finds the one a name means.
"""

NAMES = ("mind", "ebnerd", "globo", "files", "simulated")  # files: a folder in our own contract
TOPICS = "topics"  # those of a running system: to learn from, not to play
LEARNED_FROM = (*NAMES, TOPICS)
