"""Pure decisions about sessions: the states, what a fact changes, how an event reads in one line."""
