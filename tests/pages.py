"""The project's own Markdown pages, and what in them is prose, code, headings and links."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LIST_ITEM = re.compile(r"^(?:\*|-|\d+\.) ", re.MULTILINE)
END = re.compile(r"(?<=[.!?])[*_)]*\s+(?=[^a-z])")  # of a sentence: what follows does not begin in lower case


def pages() -> list[Path]:
    """All of them; not those of a virtual environment or of a tool's cache."""
    folders = (ROOT, ROOT / ".github", *(ROOT / name for name in ("deploy", "streamrec")))
    nested = [path for folder in folders[2:] for path in folder.rglob("*.md")]
    return sorted({*nested, *(path for folder in folders[:2] for path in folder.glob("*.md"))})


def name_of(page: Path) -> str:
    """Its path from the root, as a test names it."""
    return page.relative_to(ROOT).as_posix()


def without_code(text: str) -> str:
    """Without fenced blocks and comments; code within a line stays."""
    return re.sub(r"<!--.*?-->", "", FENCED.sub("", text), flags=re.DOTALL)


def links(text: str) -> Iterator[str]:
    """Targets of links, those to other sites left out."""
    for target in LINK.findall(without_code(text)):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


def anchors(text: str) -> set[str]:
    """What headings can be linked by, as GitHub makes it: in lower case, a hyphen for a blank, punctuation left out."""
    titles = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in HEADING.findall(without_code(text)))
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def sentences(text: str) -> Iterator[str]:
    """Of the prose: no code, no tables; a heading, a list item and a paragraph each end a sentence."""
    lines = [line for line in without_code(text).splitlines() if not line.startswith(("|", "#"))]
    blocks = re.split(r"\n\s*\n", LIST_ITEM.sub("\n", "\n".join(line.strip() for line in lines)))
    for block in blocks:
        shown = LINK.sub(lambda link: link[0].partition("](")[0].lstrip("["), " ".join(block.split()))
        yield from filter(None, END.split(shown))
