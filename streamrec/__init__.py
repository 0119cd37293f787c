"""streamrec: which fresh article to push to whom, decided as events arrive, and why."""

__version__ = "0.1.0"
