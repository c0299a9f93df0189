"""A slow, plain reading of the rules of `claims-edit`, to compare the program with."""

from .history import EarlierRun, Kept
from .oracle import Night, edit_night

__all__ = ["EarlierRun", "Kept", "Night", "edit_night"]
