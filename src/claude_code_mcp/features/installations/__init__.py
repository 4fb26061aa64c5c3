"""Installations: this program as a server in the lists of MCP clients. It edits lists, it neither starts clients nor
asks them anything; where the lists are is known in `platform/clients`.
"""
