"""What is seen from outside, taken in."""
