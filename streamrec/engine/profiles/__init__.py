"""What is known of each user: one fixed row in the log, columns in memory."""
