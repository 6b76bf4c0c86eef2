// An application made with `openid-client`. It listens at a port; `/login` begins a sign-in, and where that ends
// it does with its tokens whatever can be done, and answers with what came of it. `/itself` asks for a token in
// its own name. `/device` asks for the codes of a device, `/comes` comes with them until somebody has answered.
// Arguments: the provider, client id, secret (or `-` for none), port, and `jwt` if the secret is not to be sent.
import { createServer } from 'node:http';
import * as client from 'openid-client';

const [provider, id, secret, port, way] = process.argv.slice(2);
const here = `http://127.0.0.1:${port}`;
const proof = way === 'jwt' ? client.ClientSecretJwt : client.ClientSecretBasic;
const auth = secret === '-' ? client.None() : proof(secret);
const insecure = { execute: [client.allowInsecureRequests] };
const config = await client.discovery(new URL(provider), id, undefined, auth, insecure);
// Without a secret, its tokens are bound to a key.
const options = secret === '-'
  ? { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }
  : {};
const begun = {};

async function login() {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  Object.assign(begun, { verifier, state, nonce });
  return client.buildAuthorizationUrl(config, {
    redirect_uri: `${here}/callback`,
    scope: 'openid profile offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }).href;
}

const active = async (token) => (await client.tokenIntrospection(config, token)).active;

async function callback(url) {
  const expected = {
    pkceCodeVerifier: begun.verifier,
    expectedState: begun.state,
    expectedNonce: begun.nonce,
    idTokenExpected: true,
  };
  const first = await client.authorizationCodeGrant(config, url, expected, undefined, options);
  const { sub, acr } = first.claims();
  const { name } = await client.fetchUserInfo(config, first.access_token, sub, options);
  const second = await client.refreshTokenGrant(config, first.refresh_token, undefined, options);
  const renewed = second.claims().sub === sub && second.refresh_token !== first.refresh_token;
  const said = { name, acr, kind: first.token_type, renewed };
  if (secret !== '-') said.active = await active(second.access_token);
  await client.tokenRevocation(config, second.refresh_token);
  if (secret !== '-') said.afterwards = await active(second.access_token);
  said.refused = await client
    .refreshTokenGrant(config, second.refresh_token, undefined, options)
    .then(() => null, (error) => error.error);
  said.gone = await client
    .fetchUserInfo(config, second.access_token, sub, options)
    .then(() => null, (error) => error.status ?? error.cause?.[0]?.parameters?.error ?? String(error));
  return said;
}

async function itself() {
  const parameters = { resource: 'https://api.example.ch/', scope: 'timetable.read' };
  const { access_token: token, token_type: kind, scope } =
    await client.clientCredentialsGrant(config, parameters, options);
  return { kind, scope, active: await active(token) };
}

async function device() {
  begun.codes = await client.initiateDeviceAuthorization(config, { scope: 'openid profile' });
  return begun.codes;
}

async function comes() {
  const first = await client
    .pollDeviceAuthorizationGrant(config, begun.codes, undefined, options)
    .catch((error) => ({ refused: error.error }));
  if (first.refused) return first;
  const { sub, acr } = first.claims();
  const { name } = await client.fetchUserInfo(config, first.access_token, sub, options);
  const second = await client.refreshTokenGrant(config, first.refresh_token, undefined, options);
  const renewed = second.claims().sub === sub && second.refresh_token !== first.refresh_token;
  return { name, acr, kind: first.token_type, renewed };
}

const answers = { '/comes': comes, '/device': device, '/itself': itself };

createServer(async (request, response) => {
  const url = new URL(request.url, here);
  try {
    if (url.pathname === '/login') {
      response.writeHead(303, { location: await login() }).end();
      return;
    }
    const said = await (answers[url.pathname] ?? callback)(url);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(said));
  } catch (error) {
    response.writeHead(500).end(`${error.stack}\n${JSON.stringify(error.cause ?? {})}`);
  }
}).listen(Number(port), '127.0.0.1');
