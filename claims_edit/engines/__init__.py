"""What a run is computed with.

An engine decides nothing: it brings the rows of some members together, has them edited by `evaluate`, and
hands the tables on, part by part.
"""
