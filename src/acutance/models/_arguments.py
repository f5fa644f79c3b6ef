"""Arguments that a signature cannot check: numbers out of range are the user's to mend."""

from acutance.errors import Refused


def one_of(what: str, found: int, valid: tuple[int, ...]) -> None:
    """Refuses a number that is not among `valid`.

    Args:
        what: The model and its argument, e.g. "model espcn: scale".
        found: The number given.
        valid: The numbers that will do.

    Raises:
        Refused: If `found` is another one.
    """
    if found not in valid:
        choices = ", ".join(map(str, valid))
        raise Refused(f"{what}: found {found}; choose one of {choices}")


def at_least(what: str, found: int, least: int) -> None:
    """Refuses a number below `least`.

    Args:
        what: The model and its argument, e.g. "model vdsr: depth".
        found: The number given.
        least: The smallest that makes a network.

    Raises:
        Refused: If `found` is smaller.
    """
    if found < least:
        raise Refused(f"{what}: found {found}; must be at least {least}")
