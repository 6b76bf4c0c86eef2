//! `furka app add oidc`.

use std::{
    io::{self, Read},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use data_encoding::HEXLOWER;
use server::World;
use url::Url;
use wire::{
    Secret,
    oauth::client::{new_secret, secret_digest},
    oidc::Issuer,
};

use super::{
    Block, Common, Registration,
    secret_file::SecretFile,
    snippet::{PROVIDER, Page},
};
use crate::{
    failure::{Doing, Failure},
    installation::draw,
    print::Table,
};

/// The words of the page that are replaced: provider, id, secret, address, folder, passphrase,
/// scopes, the claim that names people.
pub(super) const WORDS: [&str; 8] = [
    PROVIDER,
    "OIDCClientID portal",
    "the-secret",
    "https://portal.example.ch/protected/redirect",
    "<Location /protected>",
    "forty-random-characters-of-this-server",
    "\"openid profile email\"",
    "OIDCRemoteUserClaim preferred_username",
];
/// The words of the page about applications in the browser that are replaced: provider, id, address, the
/// address after signing out, scopes.
pub(super) const SINGLE_PAGE: [&str; 5] = [
    PROVIDER,
    "client_id: 'planner'",
    "'https://planner.example.ch/callback'",
    "'https://planner.example.ch/bye'",
    "'openid profile offline_access'",
];
/// Shortest and longest secret that is believed to be one, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 32..=512;
/// What stands for a secret that was given: nobody needs to see it twice.
const GIVEN: &str = "the-secret-you-gave";

/// What `furka app add oidc` is told.
#[derive(Args)]
#[command(after_help = "\
Shows a plan first, as `furka apply`. A secret that is made is shown once.

Examples:
  furka app add oidc portal --redirect-uri https://portal.example.ch/oidc/callback --trusted
  furka app add oidc pages --redirect-uri https://www.example.ch/protected/redirect \\
      --scope 'openid profile email' --trusted --for mod_auth_openidc
  furka app add oidc library --redirect-uri https://library.example.ch/callback --trusted \\
      --auth secret_jwt --secret-file /etc/furka/library.secret
  furka app add oidc planner --public --redirect-uri https://planner.example.ch/callback \\
      --scope 'openid profile offline_access' --for oidc-client-ts
  furka app add oidc timer --native --redirect-uri http://127.0.0.1/callback --minimum strong --trusted")]
pub(crate) struct Oidc {
    #[command(flatten)]
    common: Common,
    /// Where codes are sent, compared character by character; may be given several times.
    #[arg(long = "redirect-uri", value_name = "URI", required = true)]
    redirect_uris: Vec<String>,
    /// Where people may be sent after signing out; may be given several times.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// Its front page.
    #[arg(long, value_name = "URL")]
    home: Option<String>,
    /// What it may ask for.
    #[arg(long, value_name = "SCOPES", default_value = "openid profile")]
    scope: String,
    /// It runs in the browser, and has no secret.
    #[arg(long, conflicts_with_all = ["native", "secret_stdin", "auth", "secret_file"])]
    public: bool,
    /// It runs on a device, and has no secret.
    #[arg(long, conflicts_with_all = ["secret_stdin", "auth", "secret_file"])]
    native: bool,
    /// How it proves with its secret that it is itself.
    #[arg(long, value_enum, default_value = "basic", value_name = "METHOD")]
    auth: Proof,
    /// A new file, for `--auth secret_jwt`: it keeps the secret here, and all nodes need a copy.
    #[arg(long, value_name = "FILE", required_if_eq("auth", "secret_jwt"))]
    secret_file: Option<PathBuf>,
    /// It has a secret already, which is read here.
    #[arg(long)]
    secret_stdin: bool,
    /// It belongs to the school system: nobody is asked for consent.
    #[arg(long)]
    trusted: bool,
    /// It knows people by names of its own, which no other sector has.
    #[arg(long)]
    pairwise: bool,
    /// An address whose host stands for all applications that know people by the same names, where redirect
    /// addresses have several hosts; nothing is fetched there.
    #[arg(long, value_name = "URL", requires = "pairwise")]
    sector: Option<String>,
    /// What the other side is.
    #[arg(
        long = "for",
        value_enum,
        default_value = "generic",
        value_name = "PROGRAM"
    )]
    program: Program,
}

/// How a secret proves what an application is.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Proof {
    /// It is sent in a header; only its SHA-256 is kept here.
    Basic,
    /// It is sent in a form; only its SHA-256 is kept here.
    Post,
    /// It is never sent, but makes a code; a file here keeps it.
    #[value(name = "secret_jwt")]
    SecretJwt,
}

impl Proof {
    /// `auth` in the registration, and the name in the standards.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Basic => ("basic", "client_secret_basic"),
            Self::Post => ("post", "client_secret_post"),
            Self::SecretJwt => ("secret_jwt", "client_secret_jwt"),
        }
    }
}

/// What signs people in on the other side.
#[derive(Clone, Copy, ValueEnum)]
enum Program {
    /// Any client.
    Generic,
    /// Apache.
    #[value(name = "mod_auth_openidc")]
    ModAuthOpenidc,
    /// A script in the browser.
    #[value(name = "oidc-client-ts")]
    OidcClientTs,
}

impl Oidc {
    pub(super) fn registration(
        self,
        issuer: &Issuer,
        world: &dyn World,
    ) -> Result<(Common, Registration, Option<SecretFile>), Failure> {
        let secret = self.secret(world)?;
        let kept = self.kept(secret.as_ref())?;
        let mut block = Block::of("application", &self.common);
        let kind = match (self.public, self.native) {
            (true, _) => "public",
            (_, true) => "native",
            _ => "confidential",
        };
        block.set("kind", kind);
        block.list("redirect_uris", &self.redirect_uris);
        block.list("post_logout_redirect_uris", &self.post_logout_redirect_uris);
        if let Some(home) = &self.home {
            block.set("home", home.as_str());
        }
        match (&secret, &kept) {
            (None, _) => block.set("auth", "none"),
            (Some(_), Some(file)) => {
                block.set("auth", self.auth.names().0);
                block.set("secret", file.named());
            }
            (Some(secret), None) => {
                block.set("auth", self.auth.names().0);
                block.set("secret_sha256", secret_digest(secret.expose()));
            }
        }
        let scopes: Vec<&str> = self.scope.split_whitespace().collect();
        if scopes.contains(&"offline_access") {
            block.set("grants", vec!["authorization_code", "refresh_token"]);
        }
        block.set("scopes", scopes);
        block.minimum(&self.common);
        block.set("trusted", self.trusted);
        if self.pairwise {
            block.set("subject", "pairwise");
            block.set("salt", HEXLOWER.encode(&draw::<32>(world)));
        }
        if let Some(sector) = &self.sector {
            block.set("sector", sector.as_str());
        }
        let mut snippet = match self.program {
            Program::Generic => self.generic(issuer, secret.as_ref()),
            Program::ModAuthOpenidc => self.apache(issuer, secret.as_ref(), world)?,
            Program::OidcClientTs => self.script(issuer),
        };
        if let Some(file) = &kept {
            snippet.push_str(&format!(
                "\nnote: `{}` keeps the secret; copy it to all nodes, readable for the user of `furka serve`\n",
                file.path().display()
            ));
        } else if secret.is_some() && !self.secret_stdin {
            snippet.push_str("\nthe secret is shown once; only its SHA-256 is kept\n");
        }
        if !self.trusted {
            let note = "\nnote: it is not `trusted`: people are asked for their consent first\n";
            snippet.push_str(note);
        }
        Ok((self.common, Registration { block, snippet }, kept))
    }

    /// The file that keeps the secret, where a digest is not enough.
    fn kept(&self, secret: Option<&Secret>) -> Result<Option<SecretFile>, Failure> {
        match (self.auth, &self.secret_file, secret) {
            (Proof::SecretJwt, Some(path), Some(secret)) => {
                SecretFile::new(path, secret).map(Some)
            }
            (Proof::Basic | Proof::Post, Some(_), _) => Err(Failure::new(
                "`--secret-file` is for `--auth secret_jwt`: of other secrets only a digest is kept",
            )
            .cure("leave it away")),
            _ => Ok(None),
        }
    }

    /// The secret that was given, or a new one; none for applications that could not keep it.
    fn secret(&self, world: &dyn World) -> Result<Option<Secret>, Failure> {
        if self.public || self.native {
            return Ok(None);
        }
        if !self.secret_stdin {
            let secret = new_secret(draw(world));
            return Ok(Some(match self.auth {
                Proof::Basic | Proof::Post => secret,
                // As long as the longest hash.
                Proof::SecretJwt => {
                    let more = new_secret(draw(world));
                    Secret::new([secret.expose(), more.expose()].concat())
                }
            }));
        }
        let mut text = String::new();
        let bytes_max = *SECRET_BYTES.end() as u64 + 2;
        let read = io::stdin().lock().take(bytes_max).read_to_string(&mut text);
        read.doing(|| "reading the secret".to_owned())?;
        let secret = text.trim_end_matches(['\r', '\n']);
        let plain = secret.bytes().all(|byte| byte.is_ascii_graphic());
        match plain && SECRET_BYTES.contains(&secret.len()) {
            true => Ok(Some(Secret::new(secret.as_bytes().to_vec()))),
            false => Err(Failure::new(
                "the secret is not one of 32 to 512 visible ASCII characters",
            )
            .cure("leave `--secret-stdin` away to have one made, or take `openssl rand -hex 32`")),
        }
    }

    fn shown<'s>(&self, secret: Option<&'s Secret>) -> &'s str {
        match secret {
            Some(_) if self.secret_stdin => GIVEN,
            Some(secret) => std::str::from_utf8(secret.expose()).unwrap_or_default(),
            None => "",
        }
    }

    fn generic(&self, issuer: &Issuer, secret: Option<&Secret>) -> String {
        let mut table = Table::default();
        table.pair("issuer", issuer.as_str());
        let discovery = format!("{}/.well-known/openid-configuration", issuer.as_str());
        table.pair("discovery", discovery);
        table.pair("client_id", &self.common.id);
        match secret {
            None => table.pair("authentication", "none: PKCE alone"),
            Some(_) => {
                table.pair("client_secret", self.shown(secret));
                table.pair("authentication", self.auth.names().1);
            }
        }
        table.pair("flow", "authorization code (`response_type=code`)");
        table.pair("PKCE", "S256, always");
        table.pair("redirect_uri", self.redirect_uris.join(" or "));
        table.pair("scope", &self.scope);
        table.pair("ID token", "ES256");
        table.to_string()
    }

    fn script(&self, issuer: &Issuer) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "\\'"));
        let first = |uris: &[String]| quoted(uris.first().map_or("", String::as_str));
        let new = [
            issuer.as_str().to_owned(),
            format!("client_id: {}", quoted(&self.common.id)),
            first(&self.redirect_uris),
            first(&self.post_logout_redirect_uris),
            quoted(&self.scope),
        ];
        let words: Vec<_> = SINGLE_PAGE
            .into_iter()
            .zip(new.iter().map(String::as_str))
            .collect();
        Page::Browser.block("js", &words)
    }

    fn apache(
        &self,
        issuer: &Issuer,
        secret: Option<&Secret>,
        world: &dyn World,
    ) -> Result<String, Failure> {
        let redirect = self
            .redirect_uris
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        let url = Url::parse(redirect).doing(|| "reading `--redirect-uri`".to_owned())?;
        let folder = url.path().rsplit_once('/').map(|(folder, _)| folder);
        let folder = folder.filter(|folder| !folder.is_empty()).unwrap_or("/");
        // Without the scope there is no user name.
        let user = match self
            .scope
            .split_whitespace()
            .any(|scope| scope == "profile")
        {
            true => "preferred_username",
            false => "sub",
        };
        let new = [
            issuer.as_str().to_owned(),
            format!("OIDCClientID {}", self.common.id),
            self.shown(secret).to_owned(),
            redirect.to_owned(),
            format!("<Location {folder}>"),
            HEXLOWER.encode(&draw::<20>(world)),
            format!("\"{}\"", self.scope),
            format!("OIDCRemoteUserClaim {user}"),
        ];
        let words: Vec<_> = WORDS
            .into_iter()
            .zip(new.iter().map(String::as_str))
            .collect();
        let block = Page::ModAuthOpenidc.block("apache", &words);
        let block = block.replace(Proof::Basic.names().1, self.auth.names().1);
        // What follows there is for an interface.
        Ok(block
            .split("\n\n")
            .next()
            .map(|first| format!("{first}\n"))
            .unwrap_or_default())
    }
}
