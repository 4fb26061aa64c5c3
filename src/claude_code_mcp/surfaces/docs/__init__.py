"""The reference pages: what the declarations say, as markdown, so that nothing is written twice."""
