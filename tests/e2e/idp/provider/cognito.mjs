// Amazon Cognito: access tokens are JWTs with `client_id` and `token_use` and no `aud`, and a logout of its own.
const pool = '/eu-central-1_Ab12Cd34E'
const api = 'urn:cognito'
const logouts = ['/login?choose=true', '/login', '/']

export default {
  path: pool,
  beside(url, request, response) { // the hosted pages, which Cognito has at another host
    const wanted = URL.parse(url.searchParams.get('logout_uri') ?? '')
    const registered = wanted?.hostname === '127.0.0.1' && logouts.includes(wanted.pathname + wanted.search)
    if (url.pathname !== '/logout' || url.searchParams.get('client_id') !== 'gatepost' || !registered) {
      return response.writeHead(400).end('an unregistered logout_uri, or no such client')
    }
    const ended = ['_session', '_session.sig'].map((cookie) => `${cookie}=; Path=/; Max-Age=0`)
    return response.writeHead(302, { 'Set-Cookie': ended, Location: wanted.href }).end()
  },
  clients: [
    {
      client_id: 'gatepost',
      client_secret: 'gatepost-secret',
      application_type: 'native', // any port of a loopback address
      redirect_uris: ['http://127.0.0.1/callback/cognito'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    {
      client_id: 'report-agent',
      client_secret: 'report-agent-secret',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  claims: (name, person) => ({
    'cognito:username': name,
    'cognito:groups': person.groups,
    email: person.mail,
    email_verified: true,
    token_use: 'id',
  }),
  accessToken(token, parts, person) {
    const ours = { token_use: 'access', version: 2 }
    if (person) Object.assign(ours, { username: token.accountId, 'cognito:groups': person.groups })
    Object.assign(parts.payload, ours)
    Object.defineProperty(parts.payload, 'aud', { enumerable: false }) // the library wants one; it is not written
    parts.header = { typ: undefined }
  },
  configuration: {
    scopes: ['openid', 'profile', 'email', 'gatepost/call'],
    claims: {
      openid: ['sub', 'token_use', 'cognito:username', 'cognito:groups'],
      email: ['email', 'email_verified'],
    },
    clientAuthMethods: ['client_secret_basic'],
    features: {
      clientCredentials: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => api,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'openid profile email gatepost/call',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  },
}
