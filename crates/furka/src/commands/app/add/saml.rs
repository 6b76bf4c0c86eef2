//! `furka app add saml`.

use std::{fs, path::PathBuf};

use clap::{Args, ValueEnum};
use data_encoding::HEXLOWER;
use server::World;
use wire::{
    oidc::Issuer,
    saml::{Idp, ServiceProvider},
};

use super::{
    Block, Common, Registration,
    snippet::{PROVIDER, Page},
};
use crate::{
    failure::{Doing, Failure},
    installation::draw,
    print::Table,
    resources::BYTES_MAX,
};

/// The words of the page that are replaced: provider, entity ID.
pub(super) const WORDS: [&str; 2] = [PROVIDER, "https://ism.example.ch/shibboleth"];

/// What `furka app add saml` is told.
#[derive(Args)]
#[command(after_help = "\
Example:
  furka app add saml ism --metadata ism.xml --attribute display_name --attribute mail --for shibboleth")]
pub(crate) struct Saml {
    #[command(flatten)]
    common: Common,
    /// What the application says about itself, in XML.
    #[arg(long, value_name = "FILE")]
    metadata: PathBuf,
    /// Which one, if the metadata describes several.
    #[arg(long, value_name = "ID")]
    entity_id: Option<String>,
    /// What it gets of a person, such as `mail`; may be given several times.
    #[arg(long = "attribute", value_name = "NAME")]
    attributes: Vec<String>,
    /// Who may enter, by role; may be given several times. Everybody if it is not given.
    #[arg(long = "group", value_name = "ROLE")]
    groups: Vec<String>,
    /// Encrypts assertions to the key in the metadata.
    #[arg(long)]
    encrypt: bool,
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
    /// Any application.
    Generic,
    /// Apache with Shibboleth.
    Shibboleth,
}

impl Saml {
    pub(super) fn registration(
        self,
        issuer: &Issuer,
        world: &dyn World,
    ) -> Result<(Common, Registration), Failure> {
        let doing = || format!("reading `{}`", self.metadata.display());
        let len = fs::metadata(&self.metadata).doing(doing)?.len();
        if len > BYTES_MAX as u64 {
            return Err(Failure::new(format!(
                "`{}` is longer than 1 MiB",
                self.metadata.display()
            )));
        }
        let metadata = fs::read_to_string(&self.metadata).doing(doing)?;
        let read = ServiceProvider::read(&metadata, self.entity_id.as_deref(), world.now().0);
        let provider = read.doing(doing)?;
        let mut block = Block::of("saml", &self.common);
        if let Some(entity_id) = &self.entity_id {
            block.set("entity_id", entity_id.as_str());
        }
        block.set("salt", HEXLOWER.encode(&draw::<32>(world)));
        block.list("attributes", &self.attributes);
        block.list("groups", &self.groups);
        block.minimum(&self.common);
        if self.encrypt {
            block.set("encrypt", true);
        }
        block.text("metadata", &metadata);
        let snippet = match self.program {
            Program::Generic => generic(issuer),
            Program::Shibboleth => {
                let new = [issuer.as_str(), provider.entity_id.as_str()];
                let words: Vec<_> = WORDS.into_iter().zip(new).collect();
                let site = Page::Saml.block("apache", &[]);
                format!(
                    "# shibboleth2.xml\n{}\n# the site\n{site}",
                    Page::Saml.block("xml", &words)
                )
            }
        };
        Ok((self.common, Registration { block, snippet }))
    }
}

fn generic(issuer: &Issuer) -> String {
    let idp = Idp::of(issuer);
    let mut table = Table::default();
    table.pair("entity ID", &idp.entity_id);
    table.pair("metadata", &idp.entity_id);
    table.pair("sign-on", &idp.sso);
    table.pair("sign-out", &idp.slo);
    table.to_string()
}
