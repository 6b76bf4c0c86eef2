//! `furka app add cas`.

use clap::{Args, ValueEnum};
use wire::oidc::Issuer;

use super::{
    Block, Common, Registration,
    snippet::{PROVIDER, Page},
};
use crate::{failure::Failure, print::Table};

/// What `furka app add cas` is told.
#[derive(Args)]
#[command(after_help = "\
Example:
  furka app add cas moodle --service https://moodle.example.ch/ --attribute display_name --attribute mail")]
pub(crate) struct Cas {
    #[command(flatten)]
    common: Common,
    /// Its address; one that ends in `/` stands for all below it. May be given several times.
    #[arg(long = "service", value_name = "URL", required = true)]
    services: Vec<String>,
    /// What it gets beside the user name, such as `mail`; may be given several times.
    #[arg(long = "attribute", value_name = "NAME")]
    attributes: Vec<String>,
    /// What the other side is.
    #[arg(
        long = "for",
        value_enum,
        default_value = "generic",
        value_name = "PROGRAM"
    )]
    program: Program,
}

/// What signs people in on the other side.
#[derive(Clone, Copy, ValueEnum)]
enum Program {
    /// Any client.
    Generic,
    /// Apache.
    #[value(name = "mod_auth_cas")]
    ModAuthCas,
}

impl Cas {
    pub(super) fn registration(self, issuer: &Issuer) -> Result<(Common, Registration), Failure> {
        let mut block = Block::of("cas", &self.common);
        block.list("services", &self.services);
        block.list("attributes", &self.attributes);
        block.minimum(&self.common);
        let issuer = issuer.as_str();
        let snippet = match self.program {
            Program::ModAuthCas => Page::Cas.block("apache", &[(PROVIDER, issuer)]),
            Program::Generic => {
                let mut table = Table::default();
                table.pair("server", format_args!("{issuer}/cas"));
                table.pair("sign-in", format_args!("{issuer}/cas/login"));
                table.pair(
                    "validation",
                    format_args!("{issuer}/cas/p3/serviceValidate"),
                );
                table.pair("sign-out", format_args!("{issuer}/cas/logout"));
                table.to_string()
            }
        };
        Ok((self.common, Registration { block, snippet }))
    }
}
