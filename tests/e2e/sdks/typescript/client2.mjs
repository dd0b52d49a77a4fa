// A client of the TypeScript SDK 2.x: `client2.mjs MODE URL...` prints what it saw at each; TOKEN is its token.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

import { look } from './look.mjs'

const [mode, ...urls] = process.argv.slice(2)

for (const url of urls) {
  const client = new Client(
    { name: 'typescript2', version: '1.0.0' },
    { capabilities: { elicitation: {} }, versionNegotiation: { mode } },
  )
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }))
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${process.env.TOKEN}` } },
  })
  await client.connect(transport)
  const seen = await look(client, (call, options) => client.callTool(call, options))
  console.log(JSON.stringify({ version: client.getNegotiatedProtocolVersion(), ...seen }))
  await transport.terminateSession()
  await client.close()
}
