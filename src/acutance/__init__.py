"""Acutance: rebuild the tables of super-resolution papers, from photographs to typeset page."""

__version__ = "0.1.0"
