"""Systems of params.yaml that others released, as runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acutance import released
from acutance.book import Book, known_keys
from acutance.calls import Call
from acutance.spec import Run

__all__ = ["of_images", "of_weights"]


def of_weights(book: Book, entry: Mapping[str, Any], model: Call, system: str, scale: int) -> Run:
    """Returns a run of weights that others trained.

    Args:
        book: All entries.
        entry: The system's.
        model: Its network.
        system: Its name.
        scale: One that it is declared for.

    Raises:
        Refused: If the entry or that of data/released has a mistake.
    """
    inside = f"systems.{system}"
    known_keys(entry, ("model", "released", "scales"), inside)
    found = released.weights(book.root, entry["released"], scale, f"{inside}.released")
    released.check(book, found, model.function, f"{inside}.released")
    return Run(system=system, scale=scale, seed=0, model=model, released=found)


def of_images(book: Book, entry: Mapping[str, Any], system: str, scale: int) -> Run:
    """Returns a run of SR images that others made; see `of_weights`."""
    inside = f"systems.{system}"
    known_keys(entry, ("images", "scales"), inside)
    found = released.images(book.root, entry["images"], scale, f"{inside}.images")
    released.check(book, found, "", f"{inside}.images")
    word = Call(name=found.name, kind="images", function=found.name)
    return Run(system=system, scale=scale, seed=0, model=word, images=found)
