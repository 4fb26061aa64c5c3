"""The floor of a stdio server: a bare interpreter that answers `initialize` with the standard library."""

import json
import sys

for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        result = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "serverInfo": {"name": "echo", "version": "1"},
        }
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}) + "\n")
        sys.stdout.flush()
