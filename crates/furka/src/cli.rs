//! The command line: which commands there are, and what their help says.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    commands::{
        activation::ActivationCommand, app::AppCommand, apply::Apply, audit::AuditCommand,
        backup::Backup, cluster::ClusterCommand, demo::Demo, dev::DevCommand, export::Export,
        init::Init, keys::KeysCommand, migrate::Migrate, person::PersonCommand,
        policy::PolicyCommand, restore::Restore, serve, store::StoreCommand, token::TokenCommand,
        zone::ZoneCommand,
    },
    failure::{Doing, Outcome, USAGE},
    installation::{Installation, configuration},
};

const EXAMPLES: &str = "\
Examples, in the order of a first day:
  furka init /etc/furka                     configuration, key, empty database
  furka apply /etc/furka/resources          after editing zones, applications and gateways there
  furka app add oidc portal --redirect-uri https://portal.example.ch/callback
  furka person import people.csv            nothing is half-imported
  furka check                               what is missing, in sentences
  furka serve                               starts
  furka activation send --all-not-activated people receive their code

Exit codes: 0 done; 1 failed, or problems found; 2 a plan waits for --yes; 64 wrong words here.";

/// An identity provider with strong authentication for schools.
#[derive(Parser)]
#[command(name = "furka", version, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    /// The configuration [default: furka.toml in this folder, else /etc/furka/furka.toml].
    #[arg(long, global = true, env = "FURKA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prepares a folder: commented configuration, key file, preset, empty database.
    Init(Init),
    /// Says what is wrong or missing, with what to do; changes nothing.
    Check,
    /// Starts the identity provider.
    Serve,
    /// Starts a whole canton on this machine, to try everything.
    Demo(Demo),
    /// Brings the database to this version's schema.
    Migrate(Migrate),
    /// Writes everything in the database into one encrypted file, while the server runs.
    Backup(Backup),
    /// Fills an empty database from a backup; what was pending is void.
    Restore(Restore),
    /// Moves to another database.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Imports people and shows them.
    #[command(subcommand)]
    Person(PersonCommand),
    /// Sends activation messages.
    #[command(subcommand)]
    Activation(ActivationCommand),
    /// Imports, assigns and resynchronises hardware tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Connects applications, lists them, and says what they would be told of somebody.
    #[command(subcommand)]
    App(AppCommand),
    /// Says where an address is, and why.
    #[command(subcommand)]
    Zone(ZoneCommand),
    /// Says what the policy decides, and why.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Writes zones, policy, applications and gateways into files.
    Export(Export),
    /// Takes zones, policy, applications and gateways from files; shows a plan first.
    Apply(Apply),
    /// Makes new signing keys, and changes the key that seals the database.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Proves and searches the audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Shows the nodes that serve the database, and the database.
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// For those who try the provider out: a canton of people who do not exist.
    #[command(subcommand)]
    Dev(DevCommand),
}

/// Reads the command line, does what it says, and says what went wrong.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) => {
            let _ = help.print();
            return ExitCode::from(if help.use_stderr() { USAGE } else { 0 });
        }
    };
    let runtime = tokio::runtime::Runtime::new().doing(|| "starting".to_owned());
    match runtime.and_then(|runtime| runtime.block_on(cli.command.run(cli.config))) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

impl Command {
    async fn run(self, config: Option<PathBuf>) -> Outcome {
        let open = async || Installation::open(config.as_deref()).await;
        match self {
            Self::Init(init) => init.run().await,
            Self::Check => crate::commands::check::run(config.as_deref()).await,
            Self::Serve => serve::run(config.as_deref()).await,
            Self::Demo(demo) => demo.run().await,
            Self::Migrate(migrate) => migrate.run(&configuration(config.as_deref())?).await,
            Self::Backup(backup) => backup.run(&configuration(config.as_deref())?).await,
            Self::Restore(restore) => restore.run(&configuration(config.as_deref())?).await,
            Self::Store(command) => command.run(&configuration(config.as_deref())?).await,
            Self::Person(command) => command.run(&open().await?).await,
            Self::Activation(command) => command.run(&open().await?).await,
            Self::Token(command) => command.run(&open().await?).await,
            Self::App(command) => command.run(config.as_deref()).await,
            Self::Zone(command) => command.run(open).await,
            Self::Policy(command) => command.run(open).await,
            Self::Export(export) => export.run(&open().await?).await,
            Self::Apply(apply) => apply.run(&open().await?).await,
            Self::Keys(command) => command.run(config.as_deref()).await,
            Self::Audit(command) => command.run(&open().await?).await,
            Self::Cluster(command) => command.run(&open().await?).await,
            Self::Dev(command) => command.run(open).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
