"""How reference data and policies are loaded, and what a mistake in them is answered with."""
