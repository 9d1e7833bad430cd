// A provider as a ministry would run one, with one client and one person, on loopback.
// node server.mjs PORT REDIRECT_URL CLIENT_SECRET
import Provider from 'oidc-provider';

const [port, redirect, secret] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'aquila', client_secret: secret, redirect_uris: [redirect],
    grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic',
  }],
  claims: { openid: ['sub', 'roles', 'amr'], profile: ['name'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  cookies: { keys: [secret] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, roles: ['ct-officer', 'staff'], name: 'Ana Novak' }) }),
});
// Its page for developers asks for one factor; a ministry's asks for two, and says so.
Object.defineProperty(provider.Session.prototype, 'amr', { get: () => ['pwd', 'otp'], set: () => {} });
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
