"""A slow, plain reading of the rules of `claims-edit`, to compare the program with."""

from .oracle import Night, edit_night

__all__ = ["Night", "edit_night"]
