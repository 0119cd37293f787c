"""One partition as a deterministic state machine around `decide`."""
