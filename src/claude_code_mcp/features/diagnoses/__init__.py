"""Is everything well, and if not, what to do: one check after the other, each with its fix."""
