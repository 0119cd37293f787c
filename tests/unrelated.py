"""Headlines that have nothing to do with one another, by language: twelve subjects, each once."""

from pathlib import Path

FILE = Path(__file__).parent / "content" / "unrelated_headlines.txt"
SECTIONS = FILE.read_text(encoding="utf-8").split("# ")[1:]
HEADLINES = {language: titles for language, *titles in map(str.splitlines, SECTIONS)}
