//! `furka app add`: a registration from a few words, applied as a file would be.

mod cas;
mod gate;
mod openid;
mod saml;
mod secret_file;
mod snippet;

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use server::release;
use store::ResourceKind;
use toml::Value;
use wire::{oauth::client::Assurance, oidc::Issuer};

use self::secret_file::SecretFile;
use super::word;
use crate::{
    commands::{
        apply::{self, Plan},
        policy::Demand,
    },
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print,
};

/// The language of the application that is registered.
#[derive(Subcommand)]
pub(crate) enum Add {
    /// One that speaks CAS.
    Cas(cas::Cas),
    /// One that knows no protocol, behind a proxy that asks.
    Gate(gate::Gate),
    /// One that speaks OpenID Connect.
    Oidc(openid::Oidc),
    /// One that speaks SAML 2.0.
    Saml(saml::Saml),
}

/// What is said of every application.
#[derive(Args)]
pub(crate) struct Common {
    /// Its id: letters, digits, `-`, `_` and `.`
    #[arg(value_name = "NAME")]
    id: String,
    /// What people read, in all languages; the id if it is not given.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The least that must be proven.
    #[arg(long, value_enum, default_value = "password")]
    minimum: Demand,
    /// The folder whose `applications.toml` is kept alike; `resources` beside the configuration if it
    /// is not given.
    #[arg(long, value_name = "DIR")]
    resources: Option<PathBuf>,
    /// Applies without asking.
    #[arg(long)]
    yes: bool,
}

/// A registration, and what configures the other side.
struct Registration {
    block: Block,
    /// Printed once it is registered.
    snippet: String,
}

impl Add {
    pub(super) async fn run(self, here: &Installation, config: &Path) -> Outcome {
        let issuer = Issuer::parse(&here.config.public_url.origin().ascii_serialization());
        let issuer = issuer.doing(|| "reading `public_url`".to_owned())?;
        let mut kept = None;
        let (common, registration) = match self {
            Self::Cas(cas) => cas.registration(&issuer)?,
            Self::Gate(gate) => gate.registration(&issuer)?,
            Self::Oidc(oidc) => {
                let (common, registration, secret) = oidc.registration(&issuer, &here.world)?;
                kept = secret;
                (common, registration)
            }
            Self::Saml(saml) => saml.registration(&issuer, &here.world)?,
        };
        let exit = common.register(&registration.block, here, config).await?;
        if exit == Exit::Done {
            kept.into_iter().for_each(SecretFile::keep);
            print::line(format_args!("\n{}", registration.snippet.trim_end()));
        }
        Ok(exit)
    }
}

impl Common {
    fn level(&self) -> Assurance {
        release::level(self.minimum.assurance())
    }

    /// Appends a block to the applications in use, and to their file if there is one.
    async fn register(&self, block: &Block, here: &Installation, config: &Path) -> Outcome {
        let beside = || config.with_file_name("resources");
        let dir = self.resources.clone().unwrap_or_else(beside);
        let path = dir.join("applications.toml");
        let stored = here.resource(ResourceKind::Applications).await?.text;
        let file = apply::read(&dir, ResourceKind::Applications)?;
        if file.as_ref().is_some_and(|file| *file != stored) {
            let sentence = format!(
                "`{}` says something else than what is in use",
                path.display()
            );
            return Err(Failure::new(sentence).cure(format!(
                "`furka apply {dir}` takes the files, `furka export {dir} --force` writes what is in use",
                dir = dir.display()
            )));
        }
        let writing = || format!("writing `{}`", path.display());
        if file.is_some() {
            // Before anything changes, not after.
            OpenOptions::new().append(true).open(&path).doing(writing)?;
        }
        let text = format!("{}\n{}", stored.trim_end(), block.0);
        let text = text.trim_start().to_owned();
        let plan = Plan::of(here, vec![(ResourceKind::Applications, text.clone())]).await?;
        let exit = plan.settle(here, "app add", self.yes).await?;
        match (exit, file) {
            (Exit::Done, Some(_)) => fs::write(&path, text).doing(writing)?,
            (Exit::Done, None) => print::line(format_args!(
                "note: there is no `{}` to write it into; `furka export DIR` makes one",
                path.display()
            )),
            _ => {}
        }
        Ok(exit)
    }
}

/// The table of an application in `applications.toml`, as a person would write it.
struct Block(String);

impl Block {
    fn of(kind: &str, common: &Common) -> Self {
        let mut block = Self(format!("\n[[{kind}]]\n"));
        block.set("id", common.id.as_str());
        let title = common.title.as_ref().unwrap_or(&common.id);
        let title = Value::from(title.as_str());
        block.0.push_str(&format!(
            "name = {{ fr = {title}, de = {title}, en = {title} }}\n"
        ));
        block
    }

    fn set(&mut self, key: &str, value: impl Into<Value>) {
        let value: Value = value.into();
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    /// Sets what has any elements.
    fn list(&mut self, key: &str, values: &[String]) {
        if !values.is_empty() {
            self.set(key, values.to_vec());
        }
    }

    /// A value of many lines, as it is where that can be written.
    fn text(&mut self, key: &str, value: &str) {
        match value.contains("'''") || value.contains('\r') {
            true => self.set(key, value),
            false => self.line(&format!("{key} = '''\n{}\n'''", value.trim())),
        }
    }

    fn minimum(&mut self, common: &Common) {
        self.set("minimum", word(common.level()));
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
}
