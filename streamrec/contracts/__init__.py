"""What goes over the wire: typed records, bytes to records and back, dead letters, JSON Schema."""
