"""What we are measured against, each a process or a function that does the same with less around it."""
