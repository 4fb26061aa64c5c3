"""Activity: the fold, the lines, the exported events."""
