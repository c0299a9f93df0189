"""The commands beside `run`: policies, comparisons and determinations, through the command line."""
