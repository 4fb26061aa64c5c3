"""Jobs: shell commands that run in the background for a client, and outlive it, the relay and the daemon.

One supervisor for sessions and jobs alike (`platform.procs`); what processes there are besides ours is the matter of
`processes`.
"""
