"""The scripted model as a process: prints its URL, and runs until it is told to stop."""

from claude_code_mcp.testing import builtin_script, serve

if __name__ == "__main__":
    serve(builtin_script(), ready=lambda url: print(url, flush=True))
