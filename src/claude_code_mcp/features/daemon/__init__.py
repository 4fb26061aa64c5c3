"""The daemon itself: what it is, how it does, and how to end it. Its sessions live on when it stops."""
