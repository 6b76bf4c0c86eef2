//! `furka keys`: the keys that sign tokens.

use clap::{Subcommand, ValueEnum};
use journey::{Secret, Timestamp};
use store::{By, KeyRecord, Store};
use wire::jose::{SigningAlg, SigningKey};

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

/// What can be done with signing keys.
#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes new keys that sign from now on; the old ones stay published for two days.
    Rotate {
        /// Only this algorithm.
        #[arg(long, value_enum)]
        alg: Option<Algorithm>,
    },
    /// Lists the keys that are published.
    List,
}

/// A signature algorithm.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Algorithm {
    /// What applications get by default.
    Es256,
    /// For applications that ask for it.
    Rs256,
}

impl KeysCommand {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        match self {
            Self::List => list(here).await,
            Self::Rotate { alg } => {
                let algorithms = match alg {
                    None => ALGORITHMS.to_vec(),
                    Some(Algorithm::Es256) => vec![SigningAlg::Es256],
                    Some(Algorithm::Rs256) => vec![SigningAlg::Rs256],
                };
                for algorithm in algorithms {
                    let by = here.by("keys rotate");
                    let kid = rotate(&*here.store, algorithm, here.now(), &by).await?;
                    print::line(format_args!("{} {kid} signs from now on", algorithm.name()));
                }
                Ok(Exit::Done)
            }
        }
    }
}

/// A new key of an algorithm; its name.
pub(crate) async fn rotate(
    store: &dyn Store,
    algorithm: SigningAlg,
    now: Timestamp,
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
    store.rotate_key(&record, now.plus(RETIRED_S), by).await?;
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
