//! Argon2id, as this house makes it and as it checks every stored hash.

use std::{fmt, sync::Arc};

use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use data_encoding::BASE64_NOPAD;
use journey::Secret;
use store::seal::{Keys, pepper_id};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Format, Kind, Password, PhcString, Salt, Stored, UnusableHash, Verdict};

/// Length of a hash we make, in bytes.
const OUTPUT_BYTES: usize = 32;

/// What one hash costs: the parameters of Argon2id for new hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// [OWASP Password Storage] Equally strong minima: memory in KiB, passes.
const COSTS_MIN: [(u32, u32); 5] = [
    (47_104, 1),
    (19_456, 2),
    (12_288, 3),
    (9_216, 4),
    (7_168, 5),
];
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 8;

impl Costs {
    /// Memory in KiB (at most 256 MiB), passes (at most 16), lanes (1 to 8).
    ///
    /// # Errors
    /// Below the minima of [OWASP Password Storage] ("m=19456 (19 MiB), t=2, p=1" or equivalent), or
    /// above our own bounds.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostsRefused> {
        let strong = COSTS_MIN
            .iter()
            .any(|&(m, t)| memory_kib >= m && passes >= t);
        if !strong || lanes == 0 {
            return Err(CostsRefused::TooWeak);
        }
        if memory_kib > MEMORY_KIB_MAX || passes > PASSES_MAX || lanes > LANES_MAX {
            return Err(CostsRefused::TooCostly);
        }
        Ok(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// Costs that protect nothing: for the people of a canton in memory, who have no secrets.
    #[must_use]
    pub const fn dangerously_cheap() -> Self {
        Self {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        }
    }

    fn params(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(OUTPUT_BYTES))
    }
}

impl Default for Costs {
    /// 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self {
            memory_kib: Params::DEFAULT_M_COST,
            passes: 2,
            lanes: 1,
        }
    }
}

/// Why parameters for new hashes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostsRefused {
    /// One sign-in would cost too much.
    #[error("at most 262144 KiB of memory, 16 passes and 8 lanes are allowed for a password hash")]
    TooCostly,
    /// A stolen database would be guessed too fast.
    #[error("a password hash needs at least 19456 KiB of memory and 2 passes, or 47104 KiB and 1")]
    TooWeak,
}

/// The key outside the database without which no stored hash can even be guessed at.
///
/// Each hash names the key it was made with (`keyid` in its PHC string, derived from the key), so that a
/// key can be retired: hashes of a retired key still verify and ask for an upgrade.
pub struct Pepper(Arc<Keys>);

/// The keys of one moment.
struct Peppers {
    current: Key,
    retired: Vec<Key>,
}

struct Key {
    bytes: Secret,
    id: [u8; 4],
}

impl Key {
    fn new(bytes: Secret) -> Self {
        let id = pepper_id(bytes.expose());
        Self { bytes, id }
    }
}

impl Pepper {
    /// New hashes are made with the key that seals at that moment; those of all others are verified.
    #[must_use]
    pub const fn of(keys: Arc<Keys>) -> Self {
        Self(keys)
    }

    fn now(&self) -> Peppers {
        let mut peppers = self.0.peppers().into_iter().map(Key::new);
        let Some(current) = peppers.next() else {
            unreachable!("one of the keys seals")
        };
        Peppers {
            current,
            retired: peppers.collect(),
        }
    }
}

impl Peppers {
    fn find(&self, id: &[u8]) -> Option<&Key> {
        std::iter::once(&self.current)
            .chain(&self.retired)
            .find(|key| key.id == id)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper")
    }
}

/// An Argon2 hash read from a PHC string, within bounds.
#[derive(Clone)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Argon2Hash {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        let (algorithm, format) = match text.split('$').nth(1) {
            Some("argon2id") => (Algorithm::Argon2id, Format::Argon2id),
            Some("argon2i") => (Algorithm::Argon2i, Format::Argon2i),
            _ => return Err(UnusableHash::Unknown),
        };
        let malformed = UnusableHash::Malformed(format);
        let hash = PasswordHash::new(text).map_err(|_| malformed.clone())?;
        let params = Params::try_from(&hash).map_err(|_| malformed.clone())?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(malformed);
        };
        // A PHC string without a version is of the first one, 0x10.
        let version = Version::try_from(hash.version.unwrap_or(0x10)).map_err(|_| malformed)?;
        for (what, found, max) in [
            ("KiB of memory", params.m_cost(), MEMORY_KIB_MAX),
            ("passes", params.t_cost(), PASSES_MAX),
            ("lanes", params.p_cost(), LANES_MAX),
        ] {
            if found > max {
                return Err(UnusableHash::TooCostly { what, found, max });
            }
        }
        let salt = salt.as_ref().to_vec();
        let output = output.as_bytes().to_vec();
        Ok(Self {
            algorithm,
            version,
            params,
            salt,
            output,
        })
    }

    /// Which kind of Argon2 it is.
    pub(super) fn format(&self) -> Format {
        match self.algorithm {
            Algorithm::Argon2i => Format::Argon2i,
            _ => Format::Argon2id,
        }
    }

    /// Whether a secret key went into it.
    pub(super) fn is_peppered(&self) -> bool {
        !self.params.keyid().is_empty()
    }

    fn needs_upgrade(&self, costs: Costs, peppers: &Peppers) -> bool {
        self.algorithm != Algorithm::Argon2id
            || self.version != Version::V0x13
            || self.params.keyid() != peppers.current.id
            || self.params.m_cost() != costs.memory_kib
            || self.params.t_cost() != costs.passes
            || self.params.p_cost() != costs.lanes
            || self.output.len() != OUTPUT_BYTES
    }
}

/// One worker's means to hash: its memory, the costs and the key.
pub(super) struct Hasher {
    arena: Arena,
    costs: Costs,
    pepper: Arc<Pepper>,
}

impl Hasher {
    pub(super) fn new(costs: Costs, pepper: Arc<Pepper>) -> Self {
        let blocks_kept = usize::try_from(costs.memory_kib).unwrap_or(usize::MAX);
        Self {
            arena: Arena {
                blocks: Vec::new(),
                blocks_kept,
            },
            costs,
            pepper,
        }
    }

    /// Whether the password is the stored one.
    pub(super) fn verify(&mut self, password: &Password, stored: &Stored) -> Verdict {
        match &stored.0 {
            Kind::Own(hash) => {
                let peppers = self.pepper.now();
                let Some(key) = peppers.find(hash.params.keyid()) else {
                    tracing::error!(
                        "a stored password hash names a pepper that is not configured; restore the \
                         retired pepper"
                    );
                    self.dummy(password);
                    return Verdict::Wrong;
                };
                let upgrade = hash.needs_upgrade(self.costs, &peppers);
                verdict(
                    self.arena.matches(hash, password, Some(key.bytes.expose())),
                    upgrade,
                )
            }
            Kind::Imported(imported) => {
                let right = imported.matches(password, &mut self.arena);
                // A bare digest takes microseconds: a fast "wrong" would tell that the name exists.
                if !right && imported.format().is_fast() {
                    self.dummy(password);
                }
                verdict(right, true)
            }
        }
    }

    /// Makes a new hash.
    pub(super) fn hash(
        &mut self,
        password: &Password,
        salt: Salt,
    ) -> Result<PhcString, argon2::Error> {
        let key = self.pepper.now().current;
        let argon2 = Argon2::new_with_secret(
            key.bytes.expose(),
            Algorithm::Argon2id,
            Version::V0x13,
            self.costs.params()?,
        )?;
        let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
        self.arena
            .fill(&argon2, password, &salt.0, output.as_mut_slice())?;
        let Costs {
            memory_kib,
            passes,
            lanes,
        } = self.costs;
        let [key_id, salt, output] =
            [key.id.as_slice(), &salt.0, output.as_slice()].map(|part| BASE64_NOPAD.encode(part));
        Ok(PhcString(format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes},keyid={key_id}${salt}${output}"
        )))
    }

    /// Takes as long as a hash and says nothing.
    pub(super) fn dummy(&mut self, password: &Password) {
        std::hint::black_box(self.hash(password, Salt([0; 16])).is_ok());
    }
}

fn verdict(right: bool, upgrade: bool) -> Verdict {
    if right {
        Verdict::Right { upgrade }
    } else {
        Verdict::Wrong
    }
}

/// Memory for Argon2, kept mapped between hashes: fresh memory costs up to twice the time.
pub(super) struct Arena {
    blocks: Vec<Block>,
    blocks_kept: usize,
}

impl Arena {
    /// Whether the password gives the hash, under a secret key or none.
    pub(super) fn matches(
        &mut self,
        hash: &Argon2Hash,
        password: &Password,
        key: Option<&[u8]>,
    ) -> bool {
        let params = hash.params.clone();
        let argon2 = match key {
            None => Ok(Argon2::new(hash.algorithm, hash.version, params)),
            Some(key) => Argon2::new_with_secret(key, hash.algorithm, hash.version, params),
        };
        let mut output = Zeroizing::new(vec![0; hash.output.len()]);
        let filled =
            argon2.and_then(|argon2| self.fill(&argon2, password, &hash.salt, &mut output));
        filled.is_ok() && output.as_slice().ct_eq(&hash.output).into()
    }

    fn fill(
        &mut self,
        argon2: &Argon2<'_>,
        password: &Password,
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let needed = argon2.params().block_count();
        if self.blocks.len() < needed {
            self.blocks.resize(needed, Block::new());
        }
        let filled =
            argon2.hash_password_into_with_memory(password.bytes(), salt, output, &mut self.blocks);
        // An imported hash may have needed more: the process must not keep that for ever.
        if self.blocks.len() > self.blocks_kept {
            self.blocks.truncate(self.blocks_kept);
            self.blocks.shrink_to_fit();
        }
        filled
    }
}

#[cfg(test)]
mod tests;
