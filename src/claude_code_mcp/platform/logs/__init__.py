"""What the program tells its keeper: one JSON object a line, escaped, without secrets, in bounded files.

Standard `logging` is what everybody writes to; here is only where it goes. `setup.configure` is called once, by
whoever owns the process.
"""
