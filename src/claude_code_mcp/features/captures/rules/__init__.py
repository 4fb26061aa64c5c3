"""What captures decide without clock and disk."""
