// An application that registers itself with `openid-client`. It listens at a port; `/login` registers with an
// invitation and begins a sign-in, and where that ends it renews its tokens, looks at what is registered of it,
// goes, and answers with what came of it. Arguments: the provider, the invitation's token, port.
import { createServer } from 'node:http';
import * as client from 'openid-client';

const [provider, invitation, port] = process.argv.slice(2);
const here = `http://127.0.0.1:${port}`;
const begun = {};

async function login() {
  const metadata = {
    client_name: 'Choir',
    redirect_uris: [`${here}/callback`],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_post',
    scope: 'openid profile email',
  };
  begun.config = await client.dynamicClientRegistration(new URL(provider), metadata, undefined, {
    initialAccessToken: invitation,
    execute: [client.allowInsecureRequests],
  });
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  Object.assign(begun, { verifier, state, nonce });
  return client.buildAuthorizationUrl(begun.config, {
    redirect_uri: `${here}/callback`,
    // What it may ask for is what the answer says.
    scope: begun.config.clientMetadata().scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }).href;
}

async function callback(url) {
  const { config } = begun;
  const first = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: begun.verifier,
    expectedState: begun.state,
    expectedNonce: begun.nonce,
    idTokenExpected: true,
  });
  const { sub } = first.claims();
  const told = await client.fetchUserInfo(config, first.access_token, sub);
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  const metadata = config.clientMetadata();
  const own = { headers: { authorization: `Bearer ${metadata.registration_access_token}` } };
  const looked = await (await fetch(metadata.registration_client_uri, own)).json();
  const gone = await fetch(metadata.registration_client_uri, { ...own, method: 'DELETE' });
  const again = await fetch(metadata.registration_client_uri, own);
  const refused = await client
    .refreshTokenGrant(config, second.refresh_token)
    .then(() => null, (error) => error.error ?? error.status ?? String(error));
  const token = await client
    .fetchUserInfo(config, second.access_token, sub)
    .then(() => null, (error) => error.status ?? error.cause?.[0]?.parameters?.error ?? String(error));
  return {
    scope: metadata.scope, name: told.name, email: told.email ?? null, renewed: second.claims().sub === sub,
    looked: looked.client_id === metadata.client_id, gone: gone.status, again: again.status, refused, token,
  };
}

createServer(async (request, response) => {
  const url = new URL(request.url, here);
  try {
    if (url.pathname === '/login') {
      response.writeHead(303, { location: await login() }).end();
      return;
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(await callback(url)));
  } catch (error) {
    response.writeHead(500).end(`${error.stack}\n${JSON.stringify(error.cause ?? {})}`);
  }
}).listen(Number(port), '127.0.0.1');
