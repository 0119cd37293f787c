"""Rules on the pair, in the order they are asked; the first that says so names the reason."""

from ..types import Rule
from .already_pushed import already_pushed_article, already_pushed_story
from .already_read import already_read
from .cooldown import cooldown
from .embargo import embargo
from .expired import expired
from .muted_category import muted_category
from .withdrawn import withdrawn

RULES = (
    Rule("withdrawn", withdrawn),
    Rule("expired", expired),
    Rule("embargo", embargo),
    Rule("already_read", already_read),
    Rule("already_pushed_article", already_pushed_article),
    Rule("already_pushed_story", already_pushed_story),
    Rule("muted_category", muted_category),
    Rule("cooldown", cooldown),
)
