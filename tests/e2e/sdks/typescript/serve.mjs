// How the servers of this folder serve: on a free port, with their address as the first line they print.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

import { Events } from './events.mjs'

export function serve(handle) {
  const server = createServer(handle).listen(0, '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${server.address().port}/mcp`)
  })
}

// One server and one transport a session, as both SDKs have it.
export function serveSessions(newServer, Transport) {
  const sessions = new Map()

  async function open() {
    const transport = new Transport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: 10,
      onsessioninitialized: (id) => sessions.set(id, transport),
      onsessionclosed: (id) => sessions.delete(id),
    })
    await newServer().connect(transport)
    return transport
  }

  serve(async (request, response) => {
    const id = request.headers['mcp-session-id']
    const transport = id === undefined ? await open() : sessions.get(id)
    if (transport) await transport.handleRequest(request, response)
    else response.writeHead(404).end()
  })
}
