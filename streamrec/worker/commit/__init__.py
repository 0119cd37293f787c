"""What is applied and goes into one transaction, and when the transactions of a process begin."""
