"""What leaves the program for its operators: metrics and log lines."""
