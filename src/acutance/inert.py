"""Stand-ins for what a foreign pickle names: they hold state and do nothing.

A pickle is a program. Read here, all that it names is one of these classes, made for it alone, so
there is nothing of anyone's that it could start.
"""

from typing import Any, NoReturn

from acutance.errors import Refused

__all__ = ["Inert", "stand_in"]

# Where a checkpoint names something of these modules, it is no checkpoint.
_SUSPECT = (
    *("os", "posix", "nt", "sys", "subprocess", "shutil", "socket", "pty", "ctypes", "types"),
    *("builtins", "__builtin__", "importlib", "imp", "runpy", "code", "pickle", "operator"),
)
# Functions whose results old checkpoints hold beside their weights, where nobody asks for them.
_CALLED = (
    "torch.nn.backends.thnn._get_thnn_function_backend",
    *("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype"),
    "_codecs.encode",
)


class _Dead(type):
    """The kind of a stand-in: calling it makes another dead thing, or is refused."""

    def __call__(cls, *_: object, **__: object) -> object:
        if cls.__qualname__ not in _CALLED:
            raise Refused(f"it calls '{cls.__qualname__}', and weights call nothing")
        return object.__new__(cls)  # type: ignore[arg-type]  # it is a class

    def __setattr__(cls, name: str, value: object) -> NoReturn:
        raise Refused(f"it changes '{cls.__qualname__}', and weights change nothing")


class Inert(metaclass=_Dead):
    """An instance of some class that is not here; its attributes are what the pickle says."""

    def __new__(cls, *_: object, **__: object) -> "Inert":
        """Returns an instance whatever it is given: pickles make instances this way."""
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        """Keeps attributes; other states are those of things that nobody asks for."""
        if isinstance(state, dict):
            vars(self).update(state)


def stand_in(path: str) -> Any:
    """Returns a class that takes the place of what is called `path`.

    Args:
        path: Module and name, dotted: `lapsrn.Net`.

    Raises:
        Refused: If it belongs to a module that no set of weights has a use for.
    """
    if path.partition(".")[0] in _SUSPECT:
        raise Refused(f"it names '{path}', and weights have no use for that; do not trust it")
    return _Dead(path.rpartition(".")[2], (Inert,), {"__qualname__": path})
