"""The edits: one small module a family, and the catalogue that puts them in order."""
