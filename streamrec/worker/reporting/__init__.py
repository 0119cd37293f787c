"""Facts of the pure stages on their way into metrics and log lines."""
