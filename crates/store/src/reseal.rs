//! What relies on which of the keys, and how what others sealed comes to be sealed by the one that seals
//! now, while everybody works.
//!
//! Everything sealed is walked through in the order of its key, a few rows at a time. A row is written
//! only if it still holds what was read: whoever changed it meanwhile sealed it anew. So a walk may break
//! off, begin again, and run twice at once.

use journey::{JourneyId, PersonId, Timestamp};

use crate::{
    Result, Store,
    forms::{app_aad, journey_aad, token_aad},
    image::{Progress, Told},
    seal::{Keys, Purpose, Unopened},
};

/// So many rows are sealed again in one transaction.
pub(crate) const ROWS_AT_ONCE: u16 = 200;
/// So often a walk begins again because of what others wrote behind it.
const WALKS_MAX: u8 = 3;

/// What relies on a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relying {
    /// An activation code that is open.
    ActivationCode,
    /// The seed of an app or a token.
    Factor,
    /// A password that somebody had before.
    FormerPassword,
    /// The state of a journey.
    Journey,
    /// A message that waits.
    Message,
    /// A password.
    Password,
    /// What tells to whose keys the database belongs.
    Probe,
    /// The recovery codes of somebody.
    RecoveryCodes,
    /// The private half of a signing key.
    SigningKey,
}

impl Relying {
    /// Whether it is sealed, and can be sealed again; the others are checked, and end by themselves.
    #[must_use]
    pub const fn is_sealed(self) -> bool {
        match self {
            Self::Factor | Self::Journey | Self::Message | Self::Probe | Self::SigningKey => true,
            Self::ActivationCode | Self::FormerPassword | Self::Password | Self::RecoveryCodes => {
                false
            }
        }
    }
}

/// How much of a kind relies on a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reliance {
    /// How many.
    pub count: u64,
    /// The number of the key.
    pub key: u8,
    /// What they are.
    pub what: Relying,
}

/// A table that holds something sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sealed {
    /// Seeds of apps and tokens.
    Factors,
    /// Journeys.
    Journeys,
    /// Messages.
    Messages,
    /// The probe.
    Probe,
    /// Signing keys.
    SigningKeys,
}

/// Where a walk through a table stands: behind this row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RowKey {
    /// An id.
    Id(Vec<u8>),
    /// A name.
    Name(String),
}

/// What a few rows came to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Stretch {
    /// Where to go on; none at the end of the table.
    pub next: Option<RowKey>,
    /// How many were sealed again.
    pub resealed: u64,
    /// Those that none of the keys opens.
    pub unopened: Vec<RowKey>,
}

/// What a walk through everything came to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Resealed {
    /// What other keys sealed all the same: of the walk's end, by a node that seals with another key.
    pub left: Vec<Reliance>,
    /// How many were sealed again.
    pub rows: u64,
    /// Those that none of the keys opens, with their tables.
    pub unopened: Vec<(Sealed, RowKey)>,
}

/// Seals everything again that another key than that of now sealed.
///
/// # Errors
/// If the database does not answer. What was done until then stays, and the next walk goes on.
pub async fn reseal(
    store: &dyn Store,
    keys: &Keys,
    now: Timestamp,
    told: Told<'_>,
) -> Result<Resealed> {
    let mut done = Resealed {
        left: others(store, keys, now).await?,
        ..Resealed::default()
    };
    for _ in 0..WALKS_MAX {
        if done.left.is_empty() {
            break;
        }
        let of = done.rows.saturating_add(sum(&done.left));
        done.unopened.clear();
        for table in Sealed::ALL {
            walk(store, table, &mut done, &|rows| {
                told(Progress {
                    doing: "sealing",
                    done: rows,
                    of,
                });
            })
            .await?;
        }
        done.left = others(store, keys, now).await?;
    }
    Ok(done)
}

async fn walk(
    store: &dyn Store,
    table: Sealed,
    done: &mut Resealed,
    told: &(dyn Fn(u64) + Send + Sync),
) -> Result<()> {
    let mut next = Some(table.start());
    while let Some(after) = next {
        let stretch = store.reseal(table, &after).await?;
        done.rows = done.rows.saturating_add(stretch.resealed);
        let unopened = stretch.unopened.into_iter().map(|key| (table, key));
        done.unopened.extend(unopened);
        told(done.rows);
        next = stretch.next;
    }
    Ok(())
}

/// What other keys sealed.
async fn others(store: &dyn Store, keys: &Keys, now: Timestamp) -> Result<Vec<Reliance>> {
    let current = keys.current();
    let mut all = store.reliance(now).await?;
    all.retain(|one| one.what.is_sealed() && one.key != current);
    Ok(all)
}

fn sum(reliance: &[Reliance]) -> u64 {
    reliance.iter().map(|one| one.count).sum()
}

/// The statements about a table, the same for every engine.
pub(crate) struct Statements {
    /// How many each key sealed.
    pub(crate) count: &'static str,
    /// What others than a key ($2) sealed behind a row ($1), at most so many ($3).
    pub(crate) find: &'static str,
    /// Replaces what was sealed ($3) of a row ($2).
    pub(crate) replace: &'static str,
}

macro_rules! statements {
    ($table:literal, $key:literal, $sealed:literal, $more:literal, $where:literal) => {
        Statements {
            count: concat!(
                "select substr(",
                $sealed,
                ", 1, 1), count(*) from ",
                $table,
                " where ",
                $where,
                " group by 1 order by 1"
            ),
            find: concat!(
                "select ",
                $key,
                ", ",
                $sealed,
                $more,
                " from ",
                $table,
                " where ",
                $key,
                " > $1 and substr(",
                $sealed,
                ", 1, 1) <> $2 and ",
                $where,
                " order by ",
                $key,
                " limit $3"
            ),
            replace: concat!(
                "update ",
                $table,
                " set ",
                $sealed,
                " = $1 where ",
                $key,
                " = $2 and ",
                $sealed,
                " = $3"
            ),
        }
    };
}

impl Sealed {
    pub(crate) const ALL: [Self; 5] = [
        Self::SigningKeys,
        Self::Factors,
        Self::Messages,
        Self::Journeys,
        Self::Probe,
    ];

    pub(crate) const fn statements(self) -> Statements {
        match self {
            Self::Factors => {
                statements!(
                    "otp",
                    "id",
                    "sealed",
                    ", person, serial",
                    "sealed is not null"
                )
            }
            Self::Journeys => statements!("journey", "id", "sealed", "", "sealed is not null"),
            Self::Messages => {
                statements!("outbox", "reference", "sealed", "", "sealed is not null")
            }
            Self::Probe => statements!("meta", "name", "bytes", "", "name = 'probe'"),
            Self::SigningKeys => {
                statements!("signing_key", "kid", "sealed", "", "sealed is not null")
            }
        }
    }

    /// Before the first row.
    pub(crate) const fn start(self) -> RowKey {
        match self {
            Self::Factors | Self::Journeys => RowKey::Id(vec![]),
            Self::Messages | Self::Probe | Self::SigningKeys => RowKey::Name(String::new()),
        }
    }

    pub(crate) const fn what(self) -> Relying {
        match self {
            Self::Factors => Relying::Factor,
            Self::Journeys => Relying::Journey,
            Self::Messages => Relying::Message,
            Self::Probe => Relying::Probe,
            Self::SigningKeys => Relying::SigningKey,
        }
    }

    const fn purpose(self) -> Purpose {
        match self {
            Self::Factors => Purpose::Seed,
            Self::Journeys => Purpose::JourneyState,
            Self::Messages => Purpose::Message,
            Self::Probe => Purpose::Probe,
            Self::SigningKeys => Purpose::SigningKey,
        }
    }
}

/// A row that another key sealed.
pub(crate) struct Found {
    pub(crate) key: RowKey,
    /// Whose app it is.
    pub(crate) person: Option<[u8; 16]>,
    pub(crate) sealed: Vec<u8>,
    /// What stands on the back of a token.
    pub(crate) serial: Option<String>,
}

/// A row that is sealed again.
pub(crate) struct Again {
    pub(crate) from: Vec<u8>,
    pub(crate) key: RowKey,
    pub(crate) to: Vec<u8>,
}

impl Found {
    fn again(self, keys: &Keys, table: Sealed) -> Result<Again, RowKey> {
        let Ok(to) = self.resealed(keys, table) else {
            return Err(self.key);
        };
        Ok(Again {
            from: self.sealed,
            key: self.key,
            to,
        })
    }

    fn resealed(&self, keys: &Keys, table: Sealed) -> Result<Vec<u8>, Unopened> {
        let (purpose, aad) = (table.purpose(), self.aad(table).ok_or(Unopened)?);
        let plain = keys.open(purpose, &aad, &self.sealed)?;
        Ok(keys.seal(purpose, &aad, plain.expose()))
    }

    /// What it is bound to.
    fn aad(&self, table: Sealed) -> Option<Vec<u8>> {
        match (table, &self.key) {
            (Sealed::Factors, RowKey::Id(id)) => match (&self.serial, self.person) {
                (Some(serial), _) => Some(token_aad(serial)),
                (None, Some(person)) => {
                    Some(app_aad(id.as_slice().try_into().ok()?, PersonId(person)))
                }
                (None, None) => None,
            },
            (Sealed::Journeys, RowKey::Id(id)) => {
                Some(journey_aad(JourneyId(id.as_slice().try_into().ok()?)))
            }
            (Sealed::Messages | Sealed::SigningKeys, RowKey::Name(name)) => {
                Some(name.as_bytes().to_vec())
            }
            (Sealed::Probe, RowKey::Name(_)) => Some(vec![]),
            _ => None,
        }
    }
}

/// Seals what was found again; what is to be written, and what it will have come to.
pub(crate) fn again(keys: &Keys, table: Sealed, found: Vec<Found>) -> (Vec<Again>, Stretch) {
    let is_full = found.len() >= usize::from(ROWS_AT_ONCE);
    let next = found.last().map(|last| last.key.clone());
    let mut stretch = Stretch {
        next: next.filter(|_| is_full),
        ..Stretch::default()
    };
    let mut written = Vec::with_capacity(found.len());
    for one in found {
        match one.again(keys, table) {
            Ok(again) => written.push(again),
            Err(key) => stretch.unopened.push(key),
        }
    }
    (written, stretch)
}

/// What relies on the keys, as it is counted. What nothing relies on is not kept.
#[derive(Default)]
pub(crate) struct Tally(Vec<Reliance>);

impl Tally {
    pub(crate) fn add(&mut self, what: Relying, key: u8, count: u64) {
        if count > 0 {
            self.0.push(Reliance { count, key, what });
        }
    }

    /// Adds what the first key made, when there is so much in all: a MAC of it has no number.
    pub(crate) fn add_of_first(&mut self, what: Relying, all: u64) {
        let later = self.0.iter().filter(|one| one.what == what);
        let later: u64 = later.map(|one| one.count).sum();
        self.add(what, 1, all.saturating_sub(later));
    }

    /// All of it.
    pub(crate) fn end(self) -> Vec<Reliance> {
        self.0
    }
}
