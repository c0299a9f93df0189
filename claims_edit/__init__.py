"""claims-edit: edits drug claim lines under a payer's written policy."""

__version__ = "0.1.0"
