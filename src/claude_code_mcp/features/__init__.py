"""What we do: one folder per capability, the same rooms in each."""
