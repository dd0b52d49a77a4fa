// A client of the TypeScript SDK 1.x: `client1.mjs URL...` prints what it saw at each; TOKEN is its token.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'

import { look } from './look.mjs'

for (const url of process.argv.slice(2)) {
  const client = new Client({ name: 'typescript1', version: '1.0.0' }, { capabilities: { elicitation: {} } })
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ada' } }))
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${process.env.TOKEN}` } },
  })
  await client.connect(transport)
  const seen = await look(client, (call, options) => client.callTool(call, undefined, options))
  console.log(JSON.stringify({ version: transport.protocolVersion, ...seen }))
  await transport.terminateSession()
  await client.close()
}
