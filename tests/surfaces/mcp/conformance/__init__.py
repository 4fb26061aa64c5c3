"""The fixtures that the official conformance suite asks for, on our real surface."""
