// What a client sees at a server. Both SDKs' clients have these methods; `withProgress` is where they differ.
export async function look(client, withProgress) {
  const progress = []
  const text = async (name, args = {}) => (await client.callTool({ name, arguments: args })).content[0].text
  const textOrError = (name) => text(name).catch((error) => error.message)
  const ticks = { name: 'ticks', arguments: { count: 3 } }

  return {
    tools: (await client.listTools()).tools.map((tool) => tool.name),
    sum: await text('add', { a: 2, b: 3 }),
    ticks: (await withProgress(ticks, { onprogress: (update) => progress.push(update.progress) })).content[0].text,
    progress,
    failed: (await client.callTool({ name: 'fail', arguments: {} })).isError,
    refused: await textOrError('secret_note'),
    sum_after: await text('add', { a: 1, b: 1 }),
    asked: await textOrError('ask'),
    interrupted: await text('interrupted'),
    prompts: (await client.listPrompts()).prompts.map((prompt) => prompt.name),
    prompt: (await client.getPrompt({ name: 'greeting', arguments: { name: 'Ada' } })).messages[0].content.text,
    resources: (await client.listResources()).resources.map((resource) => resource.uri),
    resource: (await client.readResource({ uri: 'note://today' })).contents[0].text,
  }
}
