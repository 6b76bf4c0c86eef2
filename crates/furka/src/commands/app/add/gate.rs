//! `furka app add gate`.

use clap::{Args, ValueEnum};
use toml::Value;
use wire::{gate::IDENTITY, oidc::Issuer};

use super::{
    Block, Common, Registration,
    snippet::{PROVIDER, Page},
};
use crate::{commands::app::word, failure::Failure, print::Table};

/// The application's host in the page.
pub(super) const HOST: &str = "wiki.example.ch";

/// What `furka app add gate` is told.
#[derive(Args)]
#[command(after_help = "\
One rule stands for all paths; more of them are written into the file.

Example:
  furka app add gate wiki --host wiki.example.ch --header user --header groups --for nginx")]
pub(crate) struct Gate {
    #[command(flatten)]
    common: Common,
    /// Where it is, by `https`; may be given several times.
    #[arg(long = "host", value_name = "HOST", required = true)]
    hosts: Vec<String>,
    /// By which headers it knows people: `user`, `name`, `email`, `groups`, `acr`; may be given several
    /// times.
    #[arg(long = "header", value_name = "NAME", default_values = ["user"])]
    headers: Vec<String>,
    /// Who may enter, by role; may be given several times. Everybody if it is not given.
    #[arg(long = "group", value_name = "ROLE")]
    groups: Vec<String>,
    /// The proxy in front of it.
    #[arg(
        long = "for",
        value_enum,
        default_value = "generic",
        value_name = "PROXY"
    )]
    proxy: Proxy,
}

/// What asks for each request.
#[derive(Clone, Copy, ValueEnum)]
enum Proxy {
    /// Caddy.
    Caddy,
    /// Any that can ask for each request.
    Generic,
    /// nginx.
    Nginx,
    /// Traefik.
    Traefik,
}

impl Gate {
    pub(super) fn registration(self, issuer: &Issuer) -> Result<(Common, Registration), Failure> {
        let mut block = Block::of("gate", &self.common);
        let origins: Vec<String> = self
            .hosts
            .iter()
            .map(|host| format!("https://{host}"))
            .collect();
        block.list("origins", &origins);
        block.list("headers", &self.headers);
        let mut rule = format!("path = \"/\", minimum = \"{}\"", word(self.common.level()));
        if !self.groups.is_empty() {
            rule.push_str(&format!(", groups = {}", Value::from(self.groups.clone())));
        }
        block.line(&format!("rule = [{{ {rule} }}]"));
        let mut snippet = self.snippet(issuer.as_str());
        snippet.push_str(
            "\nthe proxy must stand in `trusted_proxies` of the configuration, and nobody else may reach the application\n",
        );
        Ok((self.common, Registration { block, snippet }))
    }

    fn snippet(&self, issuer: &str) -> String {
        let host = self.hosts.first().map(String::as_str).unwrap_or_default();
        let words = [(PROVIDER, issuer), (HOST, host)];
        match self.proxy {
            Proxy::Caddy => Page::Gate.block("caddy", &words),
            Proxy::Nginx => Page::Gate.block("nginx", &words),
            Proxy::Traefik => Page::Gate.block("yaml", &words),
            Proxy::Generic => {
                let mut table = Table::default();
                table.pair(
                    "asked, with 200 or 401",
                    format_args!("{issuer}/gate/auth-request"),
                );
                table.pair(
                    "asked, with 200 or 302",
                    format_args!("{issuer}/gate/check"),
                );
                let below = format!("https://{host}/.furka/");
                table.pair("sent to the provider", below);
                table.pair("headers", IDENTITY.join(" "));
                format!("{table}\n")
            }
        }
    }
}
