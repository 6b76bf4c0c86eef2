// An application made with `openid-client` to which everything is encrypted, and which encrypts its request.
// `/login` begins a sign-in; where that ends it answers with what came of it.
// Arguments: the provider, client id, port, private key for signatures and for encryption (PKCS#8, base64), the
// algorithm and the content encryption of the latter.
import { createServer } from 'node:http';
import { webcrypto } from 'node:crypto';
import { CompactEncrypt, decodeProtectedHeader, importJWK } from 'jose';
import * as client from 'openid-client';

const [provider, id, port, signing, opening, alg, enc] = process.argv.slice(2);
const here = `http://127.0.0.1:${port}`;
const imported = (pkcs8, algorithm, uses) =>
  webcrypto.subtle.importKey('pkcs8', Buffer.from(pkcs8, 'base64'), algorithm, false, uses);
const es256 = await imported(signing, { name: 'ECDSA', namedCurve: 'P-256' }, ['sign']);
const kinds = {
  'ECDH-ES': [{ name: 'ECDH', namedCurve: 'P-256' }, ['deriveBits']],
  'ECDH-ES+A256KW': [{ name: 'X25519' }, ['deriveBits']],
  'RSA-OAEP': [{ name: 'RSA-OAEP', hash: 'SHA-1' }, ['decrypt']],
  'RSA-OAEP-256': [{ name: 'RSA-OAEP', hash: 'SHA-256' }, ['decrypt']],
};
const own = await imported(opening, ...kinds[alg]);
const metadata = {
  userinfo_signed_response_alg: 'ES256',
  introspection_signed_response_alg: 'ES256',
  id_token_signed_response_alg: 'ES256',
  authorization_signed_response_alg: 'ES256',
};
const insecure = { execute: [client.allowInsecureRequests] };
const config = await client.discovery(new URL(provider), id, metadata, client.PrivateKeyJwt(es256), insecure);
const seen = {};
config[client.customFetch] = async (url, options) => {
  const answer = await fetch(url, options);
  const text = await answer.clone().text();
  const path = new URL(url).pathname;
  const token = path === '/token' ? JSON.parse(text).id_token : text;
  if (token.split('.').length === 5) {
    const header = decodeProtectedHeader(token);
    seen[path] = [header.alg, header.enc, header.cty, answer.headers.get('content-type')];
  }
  return answer;
};
client.enableDecryptingResponses(config, [enc], { key: own, alg, kid: 'for encryption' });
client.useJwtResponseMode(config);
const begun = {};

/** The signed request, encrypted to the key that the provider publishes for that. */
async function hidden(url) {
  const { keys } = await (await fetch(config.serverMetadata().jwks_uri)).json();
  const jwk = keys.find((key) => key.use === 'enc');
  const header = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM', cty: 'JWT', kid: jwk.kid };
  const signed = new TextEncoder().encode(url.searchParams.get('request'));
  const key = await importJWK(jwk, header.alg);
  url.searchParams.set('request', await new CompactEncrypt(signed).setProtectedHeader(header).encrypt(key));
  return url.href;
}

async function login() {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  Object.assign(begun, { verifier, state, nonce });
  return hidden(await client.buildAuthorizationUrlWithJAR(config, {
    redirect_uri: `${here}/callback`,
    scope: 'openid profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }, es256));
}

async function callback(url) {
  const expected = {
    pkceCodeVerifier: begun.verifier,
    expectedState: begun.state,
    expectedNonce: begun.nonce,
    idTokenExpected: true,
  };
  const answer = decodeProtectedHeader(url.searchParams.get('response'));
  seen.answer = [answer.alg, answer.enc, answer.cty];
  const first = await client.authorizationCodeGrant(config, url, expected);
  const { sub } = first.claims();
  const told = await client.fetchUserInfo(config, first.access_token, sub);
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  const asked = await client.tokenIntrospection(config, second.access_token);
  return {
    name: told.name,
    renewed: second.claims().sub === sub,
    active: asked.active,
    seen,
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
