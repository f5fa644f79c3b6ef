"""The one exception that is the user's to mend, and the words that help to mend it."""

import difflib
from collections.abc import Iterable


class Refused(ValueError):  # noqa: N818 (it reads: raise Refused)
    """Input that cannot be used. The message is one line: place, problem, what was found, remedy.

    The command line prints the message of a `Refused` alone; any other exception is a defect of
    Acutance and keeps its traceback.
    """


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
