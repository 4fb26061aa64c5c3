// The official TypeScript client 2.x, negotiating by itself (stateless era); prints what it saw as JSON.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const [command, ...args] = process.argv.slice(2);
const client = new Client(
  { name: "ts2", version: "1" },
  { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: "auto" } },
);
client.setRequestHandler("elicitation/create", async () => ({ action: "accept", content: { choice: "yes" } }));
const updated = new Promise((resolve) => {
  client.setNotificationHandler("notifications/resources/updated", (note) => resolve(note.params.uri));
});
await client.connect(new StdioClientTransport({ command, args }));
const text = async (name, given = {}, options = {}) =>
  (await client.callTool({ name, arguments: given }, options)).content[0].text;

const seen = { tools: (await client.listTools()).tools.length, version: client.getNegotiatedProtocolVersion() };
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
const subscription = await client.listen({ resourceSubscriptions: ["note://milk"] });
await text("notes_keep", { title: "milk", body: "three" });
seen.updated = await updated;
await subscription.close();
console.log(JSON.stringify(seen));
await client.close();
