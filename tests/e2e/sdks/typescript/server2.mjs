// A server of the TypeScript SDK 2.x: without sessions and of both eras, or, with `sessions`, of the legacy era.
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

import { serve, serveSessions } from './serve.mjs'

const text = (value) => ({ content: [{ type: 'text', text: String(value) }] })
const person = z.object({ name: z.string() })

function newServer() {
  const server = new McpServer({ name: 'typescript2', version: '1.0.0' })

  server.registerTool('add', { inputSchema: z.object({ a: z.number(), b: z.number() }) }, ({ a, b }) => text(a + b))
  server.registerTool('secret_note', {}, () => text('the note'))
  server.registerTool('fail', {}, () => {
    throw new Error('deliberate failure')
  })
  server.registerTool('ticks', { inputSchema: z.object({ count: z.number() }) }, async ({ count }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (let progress = 1; progressToken !== undefined && progress <= count; progress++) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: count } })
      await sleep(10)
    }
    return text('done')
  })
  server.registerTool('interrupted', {}, async ({ http }) => {
    http.closeSSE?.()
    await sleep(10)
    return text('done')
  })
  server.registerTool('ask', {}, ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'who', person)
    if (answer) return text(`hello ${answer.name}`)
    const who = inputRequired.elicit({ message: 'Who are you?', requestedSchema: person })
    return inputRequired({ inputRequests: { who } })
  })
  server.registerPrompt('greeting', { argsSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Say hello to ${name}.` } }],
  }))
  server.registerResource('today', 'note://today', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'nothing special' }],
  }))
  return server
}

if (process.argv[2] === 'sessions') serveSessions(newServer, NodeStreamableHTTPServerTransport)
else serve(toNodeHandler(createMcpHandler(newServer)))
