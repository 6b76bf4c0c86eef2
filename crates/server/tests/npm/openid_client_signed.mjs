// An application made with `openid-client` that signs its requests, hands them over, and has its tokens bound to
// a key. `/login` begins a sign-in; where that ends it answers with what came of it.
// Arguments: the provider, client id, private key (PKCS#8, base64), port.
import { createServer } from 'node:http';
import { webcrypto } from 'node:crypto';
import * as client from 'openid-client';

const [provider, id, pkcs8, port] = process.argv.slice(2);
const here = `http://127.0.0.1:${port}`;
const es256 = { name: 'ECDSA', namedCurve: 'P-256' };
const der = Buffer.from(pkcs8, 'base64');
const key = await webcrypto.subtle.importKey('pkcs8', der, es256, false, ['sign']);
const insecure = { execute: [client.allowInsecureRequests] };
const config = await client.discovery(new URL(provider), id, undefined, client.PrivateKeyJwt(key), insecure);
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
const begun = {};

async function login() {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  Object.assign(begun, { verifier, state, nonce });
  const signed = await client.buildAuthorizationUrlWithJAR(config, {
    redirect_uri: `${here}/callback`,
    scope: 'openid',
    max_age: '3600',
    claims: JSON.stringify({ userinfo: { email: { essential: true }, phone_number: null }, id_token: { name: null } }),
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }, key);
  const pushed = await client.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP });
  begun.pushed = [...pushed.searchParams.keys()].sort();
  return pushed.href;
}

async function callback(url) {
  const expected = {
    pkceCodeVerifier: begun.verifier,
    expectedState: begun.state,
    expectedNonce: begun.nonce,
    maxAge: 3600,
    idTokenExpected: true,
  };
  const first = await client.authorizationCodeGrant(config, url, expected, undefined, { DPoP });
  const { sub, name } = first.claims();
  const told = await client.fetchUserInfo(config, first.access_token, sub, { DPoP });
  const second = await client.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP });
  const asked = await client.tokenIntrospection(config, second.access_token);
  return {
    pushed: begun.pushed,
    sub,
    name,
    told: Object.keys(told).sort(),
    kind: first.token_type,
    renewed: second.claims().sub === sub && asked.active && asked.sub === sub,
  };
}

createServer(async (request, response) => {
  const url = new URL(request.url, here);
  try {
    if (url.pathname === '/login') {
      response.writeHead(303, { location: await login() }).end();
      return;
    }
    const said = await callback(url);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(said));
  } catch (error) {
    response.writeHead(500).end(`${error.stack}\n${JSON.stringify(error.cause ?? {})}`);
  }
}).listen(Number(port), '127.0.0.1');
