//! `furka app check`: a sign-in request as an application makes it, judged by what would answer it.

use clap::Args;
use server::release;
use url::Url;
use wire::{
    oauth::{
        authorize::{self, Authorize, Door, Received},
        client::Client,
    },
    oidc::Issuer,
};

use super::{Application, word};
use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print::{self, Table},
};

/// What `furka app check` is told.
#[derive(Args)]
#[command(after_help = "\
The address is the one to which the application sends the browser; the browser's address bar or its
network tools show it. Nothing is sent. What the application does with the answer is not seen here.

Exit codes: 0 the request would be answered; 1 it would be refused.

Example:
  furka app check portal 'https://id.example.ch/authorize?client_id=portal&\u{2026}'")]
pub(crate) struct Check {
    /// The application's id.
    application: String,
    /// The address with everything behind it.
    url: String,
}

impl Check {
    pub(super) async fn run(self, here: &Installation) -> Outcome {
        let file = here.applications().await?;
        let Application::Oidc(client) = Application::find(&file, &self.application)? else {
            let sentence = format!("`{}` does not speak OpenID Connect", self.application);
            return Err(Failure::new(sentence).cure("the log says why another request was refused"));
        };
        let issuer = Issuer::parse(&here.config.public_url.origin().ascii_serialization());
        let issuer = issuer.doing(|| "reading `public_url`".to_owned())?;
        let url = Url::parse(&self.url).doing(|| "reading the address".to_owned())?;
        let mut wrong = wrong_address(&url, &issuer);
        if !client.enabled {
            wrong.push("the application is not enabled".to_owned());
        }
        match judged(client, &url, (&issuer, here.now().0)) {
            Ok(request) => print::line(asked(client, &request)),
            Err(found) => wrong.extend(found),
        }
        if wrong.is_empty() {
            print::line("\nthe request is right");
            return Ok(Exit::Done);
        }
        for sentence in wrong {
            print::line(format_args!("wrong: {sentence}"));
        }
        Ok(Exit::Problems)
    }
}

/// What an application asks for with an address, or what is wrong with it, by what would answer it.
pub(super) fn judged(
    client: &Client,
    url: &Url,
    (issuer, now): (&Issuer, i64),
) -> Result<Authorize, Vec<String>> {
    let received = Received {
        issuer,
        now,
        by: Door::Browser,
        // What is encrypted to the provider is not for whoever looks at an address.
        numbers: &[],
    };
    let query = url.query().unwrap_or_default();
    let known = |id: &str| (id == client.id && client.enabled).then_some(client);
    authorize::parse(query.as_bytes(), &received, known).map_err(|refused| {
        let row = refused.fault().row();
        let told = match row.status {
            400 => "the person sees a page, the application is not told",
            _ => "the application is told by redirect",
        };
        let (description, section, code) = (row.description, row.section, row.code);
        let fault = format!("{description} [{section}]: `{code}`, {told}");
        let differs = other_redirect(client, url);
        std::iter::once(fault).chain(differs).collect()
    })
}

/// What is wrong before the first parameter.
fn wrong_address(url: &Url, issuer: &Issuer) -> Vec<String> {
    let mut wrong = Vec::new();
    let endpoint = issuer.authorization_endpoint();
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    if bare.as_str() != endpoint {
        wrong.push(format!("the address is not `{endpoint}`"));
    }
    if url.fragment().is_some() {
        wrong.push("what stands behind `#` is not sent by browsers".to_owned());
    }
    wrong
}

/// How a redirect address differs from the one that is registered and most alike.
fn other_redirect(client: &Client, url: &Url) -> Option<String> {
    let mut pairs = url.query_pairs();
    let (_, given) = pairs.find(|(name, _)| name == "redirect_uri")?;
    if client.redirect_uris.iter().any(|uri| **uri == *given) {
        return None;
    }
    let alike = |uri: &String| {
        let same = uri.chars().zip(given.chars());
        same.take_while(|(one, other)| one == other).count()
    };
    let nearest = client.redirect_uris.iter().max_by_key(|uri| alike(uri))?;
    let at = alike(nearest) + 1;
    Some(format!(
        "`{given}` differs from the registered `{nearest}` at character {at}"
    ))
}

/// What the application asks for.
fn asked(client: &Client, request: &Authorize) -> Table {
    let given = |is: bool| if is { "given" } else { "not given" };
    let mut table = Table::default();
    table.pair("redirect_uri", &request.redirect_uri);
    table.pair("scope", &request.scope);
    table.pair("PKCE", "S256");
    table.pair("state", given(request.state.is_some()));
    table.pair("nonce", given(request.nonce.is_some()));
    if let Some(claims) = request.claims.parameter() {
        table.pair("claims", claims);
    }
    let asked = request.claims.acr.as_ref().unwrap_or(&request.acr_values);
    let demand = release::demand(release::assurance(client.minimum), asked);
    table.pair("must be proven", word(release::level(demand)));
    table
}
