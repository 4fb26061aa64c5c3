"""The Claude Code binaries of this machine: found, compared, preferred, and held against the newest release."""
