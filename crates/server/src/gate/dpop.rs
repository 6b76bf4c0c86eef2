//! Tokens that are bound to a key of the application: each use shows the key, once, with a fresh value of
//! ours [RFC 9449].

use journey::Timestamp;
use serde::{Deserialize, Serialize};
use store::{OneTime, seal::Purpose};
use wire::oauth::{
    dpop::{Proof, Request},
    token::CLOCKS_APART_S_MAX,
};

use crate::{app::App, failure::Failure, ticket};

/// How long a value of ours may be in a proof, in seconds.
const NONCE_S: i64 = 300;
/// The domain of these values.
const KIND: &str = "dpop nonce";

/// What a sealed value of ours says.
#[derive(Deserialize, Serialize)]
struct Nonce {
    until: Timestamp,
}

/// Why a proof does not count.
pub(super) enum Unproven {
    /// Not for this request, not of this moment, used before, or no proof at all.
    NotGood,
    /// Without a fresh value of ours.
    NonceMissing,
}

/// A fresh value for the next proof. It is sealed, so that no node must remember it.
pub(crate) fn nonce(app: &App) -> String {
    let until = app.world.now().plus(NONCE_S);
    ticket::seal(&app.keys, Purpose::DpopNonce, KIND, &Nonce { until })
}

/// The thumbprint of the key that this request shows. The proof is used up.
pub(super) async fn shown(
    app: &App,
    header: &str,
    request: &Request<'_>,
) -> Result<Result<String, Unproven>, Failure> {
    let now = app.world.now();
    let Some(proof) = read(app, header, request) else {
        return Ok(Err(Unproven::NotGood));
    };
    // [RFC 9449 §4.3] "If the server provided a nonce value to the client, the nonce claim matches the server-provided nonce value."
    let nonce: Option<Nonce> = proof
        .nonce
        .as_deref()
        .and_then(|nonce| ticket::open(&app.keys, Purpose::DpopNonce, KIND, nonce));
    let latest = now.plus(NONCE_S + CLOCKS_APART_S_MAX);
    if nonce.is_none_or(|nonce| now >= nonce.until || nonce.until > latest) {
        return Ok(Err(Unproven::NonceMissing));
    }
    let until = Timestamp(proof.spend.until);
    let fresh = app
        .store
        .consume(OneTime::DpopProof, proof.spend.id.as_bytes(), until)
        .await?;
    Ok(if fresh {
        Ok(proof.key)
    } else {
        Err(Unproven::NotGood)
    })
}

/// A proof for the address of this request, which may have two.
fn read(app: &App, header: &str, request: &Request<'_>) -> Option<Proof> {
    let now = app.world.now().0;
    if let Ok(proof) = Proof::read(header, request, now) {
        return Some(proof);
    }
    let path = request.url.strip_prefix(app.issuer.as_str())?;
    let url = format!("{}{path}", app.issuer.mtls()?);
    let elsewhere = Request {
        url: &url,
        ..*request
    };
    Proof::read(header, &elsewhere, now).ok()
}
