"""The worker as a Faust app: agents, transport, tables and pages, wired; nothing is decided here."""
