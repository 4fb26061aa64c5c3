"""The catalog as an MCP server: tools, resources, questions and tasks for any MCP client.

What it is: one projection of the operations, in both protocol eras (the handshake of 2025-11-25 and older, the
stateless 2026-07-28), over lines on a stream or over HTTP, on the official SDK's lowlevel server.
What it is not: a place for rules. No feature is named here; what a tool does is its operation's business.
"""
