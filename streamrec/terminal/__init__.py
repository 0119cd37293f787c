"""What a person sees in a terminal: safe text, tables, progress; and how they say times and files."""
