"""Why cells of a table are empty: a word in the cell, and a note for all of the same reason."""

import re


class Blanks:
    """Gathers the reasons of a table's empty cells."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, None]] = {}

    def note(self, reason: str) -> int:
        """Returns the number of the note, from 1, that says a reason; 0 for no reason."""
        if not reason:
            return 0
        # the path of a missing file differs from cell to cell; its origin says it in full
        subject, verb, rest = reason.partition(": results/")[0].partition(" is not ")
        why = f"not {rest}" if verb else subject
        self._found.setdefault(why, {})[subject if verb else ""] = None
        return [*self._found].index(why) + 1

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes: `VDSR, EDSR: not trained in this study`."""
        whos = {why: ", ".join(filter(None, each)) for why, each in self._found.items()}
        return tuple(f"{who}: {why}" if who else why for why, who in whos.items())


def word(reason: str) -> str:
    """Returns the word that stands in an empty cell.

    >>> word("VDSR is not trained in this study"), word("")
    ('not trained', '–')
    """
    found = re.search(r"\bnot [a-z]+", reason)
    return found[0] if found else "–"
