// An OpenID provider in the shape of Microsoft Entra ID or of Amazon Cognito: `node server.mjs entra|cognito PORT`.
// It knows the people that were last put to /people: {name: {mail, groups, …}}; whoever logs in gives a name only.
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { json, text } from 'node:stream/consumers'

import Provider, { interactionPolicy } from 'oidc-provider'

const [name, port] = process.argv.slice(2)
const origin = `http://localhost:${port}`
const shape = (await import(`./${name}.mjs`)).default
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
const people = {}
const policy = interactionPolicy.base()
policy.remove('consent') // none is asked, as where an administrator has given it

const provider = new Provider(origin + shape.path, {
  ...shape.configuration,
  features: { devInteractions: { enabled: false }, ...shape.configuration.features },
  clients: shape.clients.map((client) => ({ id_token_signed_response_alg: 'RS256', ...client })),
  findAccount: (context, person) =>
    people[person] && { accountId: person, claims: () => ({ sub: person, ...shape.claims(person, people[person]) }) },
  formats: { customizers: { jwt: (context, token, parts) => shape.accessToken(token, parts, people[token.accountId]) } },
  loadExistingGrant: grantEverything,
  conformIdTokenClaims: false, // what the scopes bring is in the ID token
  issueRefreshToken: async (context, client) => client.grantTypeAllowed('refresh_token'),
  interactions: { policy, url: (context, interaction) => `${shape.path}/login/${interaction.uid}` },
  jwks: { keys: [{ ...key, kid: `${name}-1`, alg: 'RS256', use: 'sig' }] },
  cookies: { keys: ['of-a-test'] },
  ttl: { Session: 3600, Grant: 3600, RefreshToken: 3600, Interaction: 600, AccessToken: 600, IdToken: 600 },
  renderError: (context, out) => { context.body = out },
})
const answer = provider.callback()

async function grantEverything(context) {
  const { client, session, params } = context.oidc
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope(params.scope)
  for (const resource of Object.keys(context.oidc.resourceServers)) grant.addResourceScope(resource, params.scope)
  await grant.save()
  return grant
}

async function login(request, response) {
  if (request.method === 'POST') {
    const accountId = new URLSearchParams(await text(request)).get('name')
    return provider.interactionFinished(request, response, { login: { accountId } })
  }
  response.setHeader('Content-Type', 'text/html')
  return response.end('<form method="post"><label>Name <input name="name"></label><button>Sign in</button></form>')
}

createServer(async (request, response) => {
  const url = new URL(request.url, origin)
  if (url.pathname === '/people') {
    Object.assign(people, await json(request))
    return response.writeHead(204).end()
  }
  if (url.pathname.startsWith(`${shape.path}/login/`)) return login(request, response)
  if (url.pathname.startsWith(`${shape.path}/`)) {
    request.originalUrl = request.url
    request.url = request.url.slice(shape.path.length)
    return answer(request, response)
  }
  return shape.beside(url, request, response, provider, people)
}).listen(Number(port), '127.0.0.1')
