"""The process around the app: signals, tasks that fail, open files and the port."""
