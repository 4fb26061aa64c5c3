"""The scripted model as a process: prints its URL, and runs until it is told to stop."""

from claude_code_mcp.testing import builtin_script, parse_script, serve

STEPS = """
scenarios:
  steps:
    about: As many steps as the argument says, each some words and a tool call; three lines of the stream a step.
    steps:
      - {text: "Step ${step}, a command follows.", tools: {Bash: "echo step${step}"}, times: "${arg}"}
      - All steps are done.
"""

if __name__ == "__main__":
    serve(builtin_script().extended(parse_script(STEPS)), ready=lambda url: print(url, flush=True))
