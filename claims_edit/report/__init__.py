"""What people read: the flagged lines and the summary of a run."""
