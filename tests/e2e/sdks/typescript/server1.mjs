// A server of the TypeScript SDK 1.x, of the legacy era.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

import { serveSessions } from './serve.mjs'

const text = (value) => ({ content: [{ type: 'text', text: String(value) }] })
const person = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }

function newServer() {
  const server = new McpServer({ name: 'typescript1', version: '1.0.0' })

  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => text(a + b))
  server.registerTool('secret_note', {}, () => text('the note'))
  server.registerTool('fail', {}, () => {
    throw new Error('deliberate failure')
  })
  server.registerTool('ticks', { inputSchema: { count: z.number() } }, async ({ count }, extra) => {
    const progressToken = extra._meta?.progressToken
    for (let progress = 1; progressToken !== undefined && progress <= count; progress++) {
      await extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, total: count },
      })
      await sleep(10)
    }
    return text('done')
  })
  server.registerTool('interrupted', {}, async (extra) => {
    extra.closeSSEStream?.()
    await sleep(10)
    return text('done')
  })
  server.registerTool('ask', {}, async () => {
    const answer = await server.server.elicitInput({ message: 'Who are you?', requestedSchema: person })
    return text(`hello ${answer.content.name}`)
  })
  server.registerPrompt('greeting', { argsSchema: { name: z.string() } }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Say hello to ${name}.` } }],
  }))
  server.registerResource('today', 'note://today', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'nothing special' }],
  }))
  return server
}

serveSessions(newServer, StreamableHTTPServerTransport)
