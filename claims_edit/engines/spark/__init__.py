"""A run computed on a Spark cluster: the same reading and editing, part by part, on its workers."""
