"""The auditor: what can be told from the topics alone about a cluster's promises, without repeating its work."""
