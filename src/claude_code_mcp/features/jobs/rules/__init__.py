"""Pure decisions about jobs: what may follow what, when to try again, which keys, what a command does."""
