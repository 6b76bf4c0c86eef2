// npm's `oidc-provider`, as its documentation sets it up, with everything in memory: one application, ES256, JWT
// access tokens for an interface, opaque ones for people. When it listens, it prints its version and an access
// token of somebody. Arguments: its origin, client id, secret, scope of the interface.
import { readFileSync } from 'node:fs';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const [origin, id, secret, scope] = process.argv.slice(2);
const somebody = {
  sub: 'u1',
  name: 'Anna Zurbriggen',
  given_name: 'Anna',
  family_name: 'Zurbriggen',
  preferred_username: 'u1',
  locale: 'fr',
  email: 'u1@edu.example',
  email_verified: false,
};
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' };
const provider = new Provider(origin, {
  claims: {
    email: ['email', 'email_verified'],
    profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale'],
  },
  clients: [{
    client_id: id,
    client_secret: secret,
    grant_types: ['authorization_code', 'client_credentials'],
    id_token_signed_response_alg: 'ES256',
    redirect_uris: ['https://portal.example/callback'],
    response_types: ['code'],
  }],
  cookies: { keys: ['a key of the bench that protects nothing'] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: 'ES256' } },
        scope,
      }),
    },
  },
  findAccount: () => ({ accountId: 'u1', claims: () => somebody }),
  jwks: { keys: [key] },
  ttl: { AccessToken: 3600, ClientCredentials: 300, Grant: 3600 },
});

const client = await provider.Client.find(id);
const grant = new provider.Grant({ accountId: 'u1', clientId: id });
grant.addOIDCScope('openid profile email');
const token = new provider.AccessToken({
  accountId: 'u1',
  client,
  expiresWithSession: false,
  grantId: await grant.save(),
  gty: 'authorization_code',
  scope: 'openid profile email',
});
const said = {
  token: await token.save(),
  version: `oidc-provider ${JSON.parse(readFileSync('node_modules/oidc-provider/package.json')).version}`
    + `, node ${process.versions.node}`,
};
const { port, hostname } = new URL(origin);
provider.listen(Number(port), hostname, () => console.log(JSON.stringify(said)));
