"""What a person sees in a terminal: safe text, tables, progress, a push in a sentence, times and files."""
