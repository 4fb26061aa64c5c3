// The official TypeScript client 1.x (handshake era) against the command in argv; prints what it saw as JSON.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "ts1", version: "1" }, { capabilities: { elicitation: {} } });
const updated = new Promise((resolve) => {
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, (note) => resolve(note.params.uri));
});
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: { choice: "yes" } }));
await client.connect(new StdioClientTransport({ command, args }));
const text = async (name, given = {}, options = {}) =>
  (await client.callTool({ name, arguments: given }, undefined, options)).content[0].text;

const seen = { tools: (await client.listTools()).tools.length, server: client.getServerVersion().name };
seen.kept = await text("notes_keep", { title: "milk", body: "two" });
seen.structured = (await client.callTool({ name: "notes_read", arguments: { title: "milk" } })).structuredContent;
seen.error = (await client.callTool({ name: "notes_read", arguments: { title: "gone" } })).isError;
seen.asked = await text("clocks_ask");
let steps = 0;
// These clients forget a call's progress that comes in one read with its answer, so the answer waits for it.
const onprogress = () => (steps += 1) === 100 && text("clocks_ring");
seen.waited = await text("clocks_wait", { steps: 100 }, { onprogress });
seen.steps = steps;
seen.read = (await client.readResource({ uri: "note://milk" })).contents[0].text;
await client.subscribeResource({ uri: "note://milk" });
await text("notes_keep", { title: "milk", body: "three" });
seen.updated = await updated;
console.log(JSON.stringify(seen));
await client.close();
