"""What a run is computed with. An engine moves rows; it knows no rule."""
