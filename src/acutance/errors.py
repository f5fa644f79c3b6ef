"""The exceptions that are the user's to mend, and the words that help to mend it."""

import difflib
import unicodedata
from collections.abc import Iterable

_STEERING = ("Cc", "Cs", "Zl", "Zp")  # controls, lone surrogates, line and paragraph breaks


class Refused(ValueError):  # noqa: N818 (it reads: raise Refused)
    """Input that cannot be used. The message is one line: place, problem, what was found, remedy.

    The command line prints the message of a `Refused` alone; any other exception is a defect of
    Acutance and keeps its traceback. Control characters (a name in a file may hold some) are
    escaped; a line break is kept, for the few summaries that list one thing a line.
    """

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(one_line(line) for line in message.split("\n")))


class Unmeasurable(Refused):
    """An image that a metric can say nothing of, such as one too small; others keep their values.

    What is wrong with a file or a pair of images (absent, damaged, sizes that do not match) is a
    plain `Refused`: nothing that is measured beside it could be trusted.
    """


def one_line(text: str) -> str:
    r"""Returns `text` with each character that would break or steer a terminal's line escaped.

    >>> one_line("a\nb\x1b")
    'a\\nb\\x1b'
    """
    return "".join(repr(c)[1:-1] if unicodedata.category(c) in _STEERING else c for c in text)


def nearest(name: object, valid: Iterable[str]) -> str:
    """Returns the end of an error message: the valid name nearest to `name`, or all valid names.

    >>> nearest("edsr_papr", ["edsr_paper", "vdsr"])
    "; did you mean 'edsr_paper'?"
    >>> nearest("x", ["psnr", "ssim"])
    '; valid: psnr, ssim'
    """
    names = sorted(valid)
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; valid: {', '.join(names)}" if names else "; there is none"
