"""From events to the tree, and from the tree to lines and exported events: pure, time is passed in."""
