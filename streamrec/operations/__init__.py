"""What operators and editors do with a running system: audit, dead letters, moves."""
