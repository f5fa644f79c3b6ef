"""Text as Markdown and LaTeX want it: what a template puts out is escaped unless it says not to."""

import re
import unicodedata

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|&~$])")
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "×": r"$\times$",
    "−": r"$-$",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "’": "'",
    "‘": "`",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "ß": r"\ss{}",
    "ø": r"\o{}",
    "æ": r"\ae{}",
    "ł": r"\l{}",
    "\u00a0": "~",
}
# What LaTeX's own fonts can set upon a letter: grave, acute, circumflex, tilde, diaeresis, ring,
# caron, cedilla
_ACCENTS = {"\u0300", "\u0301", "\u0302", "\u0303", "\u0308", "\u030a", "\u030c", "\u0327"}


class Raw(str):
    """Text that is marked up already."""

    __slots__ = ()


def markdown(value: object) -> str:
    r"""Returns a value as Markdown text on one line, safe in a table's cell.

    >>> markdown("a|b *c*")
    'a\\|b \\*c\\*'
    """
    if isinstance(value, Raw):
        return value
    return _MARKDOWN.sub(r"\\\1", re.sub(r"\s+", " ", str(value)))


def tex(value: object) -> str:
    r"""Returns a value as LaTeX text; what the fonts lack becomes its code point, `[U+4E2D]`.

    >>> tex("50 % of a_b")
    '50 \\% of a\\_b'
    """
    if isinstance(value, Raw):
        return value
    text = "".join(_set(letter) for letter in re.sub(r"\s+", " ", str(value)))
    return re.sub("-(?=-)", "-{}", text)  # no ligature: the two hyphens of an option stay two


def _set(letter: str) -> str:
    if letter in _TEX:
        return _TEX[letter]
    if letter.isascii() and letter.isprintable():
        return letter
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 2 and parts[0].isascii() and parts[0].isalpha() and parts[1] in _ACCENTS:
        return letter
    return f"[U+{ord(letter):04X}]"
