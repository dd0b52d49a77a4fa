// Entra ID, endpoints of version 2: `oid` and `tid`, application roles, and groups that are left out of a token
// where they are many, for Microsoft Graph to tell (here: more than three; there: more than 200).
const tenant = '9f4f6a2e-1f6b-4f0e-8d2a-53c1b5d7a001'
const most = 3
const page = 2
const api = 'api://gatepost'
const groupsOfMe = /^\/v1\.0\/me\/transitiveMemberOf(\/microsoft\.graph\.group)?$/
const openidScopes = ['openid', 'profile', 'email', 'offline_access']

function groups(person) {
  const tooMany = person.groups.length > most
  return tooMany
    ? {
        _claim_names: { groups: 'src1' },
        _claim_sources: { src1: { endpoint: `https://graph.invalid/${tenant}/users/${person.oid}/getMemberObjects` } },
      }
    : { groups: person.groups }
}

async function graph(url, request, response, provider, people) {
  const send = (status, body) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  const [, bearer] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
  const token = bearer && await provider.AccessToken.find(bearer)
  if (!token) return send(401, { error: { code: 'InvalidAuthenticationToken' } })
  if (!token.scopes.has('User.Read')) return send(403, { error: { code: 'Authorization_RequestDenied' } })
  if (!groupsOfMe.test(url.pathname)) return send(404, { error: { code: 'ResourceNotFound' } })
  const from = Number(url.searchParams.get('$skiptoken') ?? 0)
  const all = people[token.accountId].groups
  const next = new URL(url)
  next.searchParams.set('$skiptoken', from + page)
  return send(200, {
    '@odata.context': `${url.origin}/v1.0/$metadata#directoryObjects`,
    ...(from + page < all.length ? { '@odata.nextLink': next.href } : {}),
    value: all.slice(from, from + page).map((id) => ({ '@odata.type': '#microsoft.graph.group', id })),
  })
}

export default {
  path: `/${tenant}/v2.0`,
  beside: graph,
  clients: [
    {
      client_id: 'gatepost',
      client_secret: 'gatepost-secret',
      application_type: 'native', // any port of a loopback address
      redirect_uris: ['http://127.0.0.1/callback/entra'],
      post_logout_redirect_uris: ['http://127.0.0.1/login?choose=true', 'http://127.0.0.1/login', 'http://127.0.0.1/'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      client_id: 'report-agent',
      client_secret: 'report-agent-secret',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  claims: (name, person) => ({
    tid: tenant,
    oid: person.oid,
    name: person.name,
    preferred_username: person.mail,
    email: person.mail,
    ...(person.roles ? { roles: person.roles } : {}),
    ver: '2.0',
    ...groups(person),
  }),
  accessToken(token, parts) { // of an application: a person's is for Graph, and opaque
    const { scope, client_id: azp, ...rest } = parts.payload
    const oid = '0d1f4c52-7c8e-4a55-9c0e-2b8a5f3e4d10'
    const app = { sub: oid, oid, tid: tenant, azp, azpacr: '1', ver: '2.0', roles: ['Reports.Read'], idtyp: 'app' }
    parts.payload = { ...rest, ...app }
    parts.header = { typ: 'JWT' }
  },
  configuration: {
    rotateRefreshToken: true, // stricter than Entra, which lets the last one be used again
    scopes: [...openidScopes, 'User.Read', 'GroupMember.Read.All', `${api}/.default`],
    claims: {
      openid: ['sub', 'tid', 'oid', 'ver', 'groups', 'roles'],
      profile: ['name', 'preferred_username'],
      email: ['email'],
    },
    clientAuthMethods: ['client_secret_post', 'private_key_jwt'],
    features: {
      clientCredentials: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource(context, form) { // it does not ask where the application that sends the person is known
          context.body = `${form}<script>
            const sure = Object.assign(document.createElement('input'), { type: 'hidden', name: 'logout', value: 'yes' })
            const form = document.forms[0]; form.append(sure); form.submit()</script>`
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (context) => (context.oidc.params.grant_type === 'client_credentials' ? api : undefined),
        getResourceServerInfo: () => ({
          scope: `${api}/.default`,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  },
}
