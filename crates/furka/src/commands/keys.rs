//! `furka keys`: the keys that sign tokens, and those that seal the database.

pub(crate) mod seal;

use std::path::Path;

use clap::{Subcommand, ValueEnum};
use journey::{Secret, Timestamp};
use store::{By, KeyRecord, Store};
use wire::jose::{SigningAlg, SigningKey};

use self::seal::SealCommand;
use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print,
};

/// What an installation signs with.
pub(crate) const ALGORITHMS: [SigningAlg; 2] = [SigningAlg::Es256, SigningAlg::Rs256];
/// How long a retired key stays published: a session lasts at most a day, and applications keep key
/// sets for hours.
const RETIRED_S: i64 = 2 * 86_400;

/// What can be done with keys.
#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes new keys that sign from now on; the old ones stay published for two days. Answers of SAML are signed
    /// with the old one until then, because applications fetch metadata rarely.
    Rotate {
        /// Only this algorithm.
        #[arg(long, value_enum)]
        alg: Option<Algorithm>,
        /// Somebody may know the old keys: they sign nothing more and are not published any more. Applications
        /// believe new tokens and answers as soon as they have fetched the new keys; those to which a key or a
        /// certificate was given by hand need the new one.
        #[arg(long)]
        leaked: bool,
    },
    /// Lists the keys that are published.
    List,
    /// Changes the key that seals the database.
    #[command(subcommand)]
    Seal(SealCommand),
}

/// A signature algorithm.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Algorithm {
    /// What applications get by default.
    Es256,
    /// For applications that ask for it.
    Rs256,
    /// Ed25519, for applications that ask for it; made on demand.
    Eddsa,
    /// RSA-PSS, for applications that ask for it; made on demand.
    Ps256,
}

impl KeysCommand {
    pub(crate) async fn run(self, config: Option<&Path>) -> Outcome {
        match self {
            Self::List => list(&Installation::open(config).await?).await,
            Self::Seal(command) => command.run(config).await,
            Self::Rotate { alg, leaked } => {
                let here = Installation::open(config).await?;
                let algorithms = match alg {
                    None => in_use(&here).await?,
                    Some(Algorithm::Es256) => vec![SigningAlg::Es256],
                    Some(Algorithm::Rs256) => vec![SigningAlg::Rs256],
                    Some(Algorithm::Eddsa) => vec![SigningAlg::EdDsa],
                    Some(Algorithm::Ps256) => vec![SigningAlg::Ps256],
                };
                let published_s = if leaked { 0 } else { RETIRED_S };
                for algorithm in algorithms {
                    let by = here.by("keys rotate");
                    let until = here.now().plus(published_s);
                    let kid = rotate(&*here.store, algorithm, until, &by).await?;
                    print::line(format_args!("{} {kid} signs from now on", algorithm.name()));
                }
                Ok(Exit::Done)
            }
        }
    }
}

/// What is signed with: what every installation has, and what was made on demand.
async fn in_use(here: &Installation) -> Result<Vec<SigningAlg>, Failure> {
    let keys = here.store.signing_keys(here.now()).await?;
    let signs = |alg: &SigningAlg| {
        let mut of_alg = keys.iter().filter(|key| key.algorithm == alg.name());
        ALGORITHMS.contains(alg) || of_alg.any(|key| key.until.is_none())
    };
    Ok(SigningAlg::ALL.into_iter().filter(signs).collect())
}

/// A new key of an algorithm; its name. Those before it are published until then.
pub(crate) async fn rotate(
    store: &dyn Store,
    algorithm: SigningAlg,
    retired_until: Timestamp,
    by: &By,
) -> Result<String, Failure> {
    let make = || {
        let key = SigningKey::generate(algorithm)?;
        key.to_pkcs8().map(|pkcs8| (key.kid().to_owned(), pkcs8))
    };
    let (kid, pkcs8) = make().doing(|| "making a signing key".to_owned())?;
    let record = KeyRecord {
        algorithm: algorithm.name().to_owned(),
        kid: kid.clone(),
        pkcs8: Secret::new(pkcs8.expose().to_vec()),
        until: None,
    };
    store.rotate_key(&record, retired_until, by).await?;
    Ok(kid)
}

async fn list(here: &Installation) -> Outcome {
    let mut table = print::Table::new(["algorithm", "kid", "state"]);
    for key in here.store.signing_keys(here.now()).await? {
        let state = match key.until {
            None => "signs".to_owned(),
            Some(until) => format!("published until {until}"),
        };
        table.row([key.algorithm, key.kid, state]);
    }
    print::line(table);
    Ok(Exit::Done)
}
