//! The provider's keys over time: one signs, the next is known in advance, the last still verifies.

use super::{JwkSet, JwsError, SigningAlg, SigningKey, VerifyingKeys};

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It signs. Exactly one per algorithm.
    Current,
    /// Published so that applications know it before it signs.
    Next,
    /// It signs no more; tokens it signed are believed until then (unix seconds).
    RetiredUntil(i64),
}

/// Why keys do not make a ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RingError {
    /// No key, or no current one for an algorithm that has keys, or two.
    #[error("arranging the signing keys: every algorithm needs exactly one current key")]
    NotOneCurrent,
    /// A key is there twice.
    #[error("arranging the signing keys: a key is listed twice")]
    Twice,
    /// A key's public half is not usable.
    #[error("arranging the signing keys: a key is damaged")]
    Damaged,
}

/// All keys of this provider.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<(SigningKey, Standing, VerifyingKeys)>,
}

impl KeyRing {
    /// Arranges the keys.
    ///
    /// # Errors
    /// [`RingError`].
    pub fn new(keys: Vec<(SigningKey, Standing)>) -> Result<Self, RingError> {
        let mut arranged: Vec<(SigningKey, Standing, VerifyingKeys)> = Vec::new();
        for (key, standing) in keys {
            if arranged.iter().any(|(other, ..)| other.kid() == key.kid()) {
                return Err(RingError::Twice);
            }
            let verifier = VerifyingKeys::of([key.public()]).map_err(|_| RingError::Damaged)?;
            arranged.push((key, standing, verifier));
        }
        let one_current = |alg: SigningAlg| {
            let of_alg = || arranged.iter().filter(move |(key, ..)| key.alg() == alg);
            let current = of_alg().filter(|(_, standing, _)| *standing == Standing::Current);
            of_alg().next().is_none() || current.count() == 1
        };
        if arranged.is_empty() || !SigningAlg::ALL.into_iter().all(one_current) {
            return Err(RingError::NotOneCurrent);
        }
        Ok(Self { keys: arranged })
    }

    /// The key that signs with this algorithm now.
    #[must_use]
    pub fn signing(&self, alg: SigningAlg) -> Option<&SigningKey> {
        self.keys
            .iter()
            .find(|(key, standing, _)| key.alg() == alg && *standing == Standing::Current)
            .map(|(key, ..)| key)
    }

    /// The keys of an algorithm that count at `now`, oldest first: for those who look at our keys
    /// rarely, the first one signs until it is over, and the others are known by then.
    #[must_use]
    pub fn oldest_first(&self, alg: SigningAlg, now: i64) -> Vec<&SigningKey> {
        let mut all: Vec<_> = self
            .known(now)
            .filter(|(key, ..)| key.alg() == alg)
            .collect();
        all.sort_by_key(|(_, standing, _)| match standing {
            Standing::RetiredUntil(until) => (0, *until),
            Standing::Current => (1, 0),
            Standing::Next => (2, 0),
        });
        all.into_iter().map(|(key, ..)| key).collect()
    }

    /// The algorithms that can be signed with.
    pub fn algs(&self) -> impl Iterator<Item = SigningAlg> + '_ {
        SigningAlg::ALL
            .into_iter()
            .filter(|alg| self.signing(*alg).is_some())
    }

    /// The JWK set to publish at `now`.
    #[must_use]
    pub fn published(&self, now: i64) -> JwkSet {
        let keys = self
            .known(now)
            .map(|(key, ..)| key.public().clone())
            .collect();
        JwkSet { keys }
    }

    /// Verifies a token that this provider is said to have signed.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn verify<T: serde::de::DeserializeOwned>(
        &self,
        token: &str,
        typ: &str,
        now: i64,
    ) -> Result<T, JwsError> {
        let mut last = JwsError::UnknownKey;
        for (_, _, verifier) in self.known(now) {
            match verifier.verify(token, &[typ]) {
                Err(JwsError::UnknownKey) => {}
                Err(other) => last = other,
                Ok(claims) => return Ok(claims),
            }
        }
        Err(last)
    }

    fn known(&self, now: i64) -> impl Iterator<Item = &(SigningKey, Standing, VerifyingKeys)> {
        self.keys
            .iter()
            .filter(move |(_, standing, _)| match standing {
                Standing::Current | Standing::Next => true,
                Standing::RetiredUntil(until) => now < *until,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;
    use serde_json::{Value, json};

    fn key() -> SigningKey {
        SigningKey::generate(SigningAlg::Es256).unwrap()
    }

    /// [C20] Keys rotate without downtime: the next is published early, the last believed for a while.
    #[test]
    fn a_retired_key_is_believed_until_its_time_and_signs_nothing() {
        let (old, current, next) = (key(), key(), key());
        let token = old.sign("JWT", &json!({"sub": "anna"})).unwrap();
        let current_kid = current.kid().to_owned();
        let ring = KeyRing::new(vec![
            (old, Standing::RetiredUntil(NOW)),
            (current, Standing::Current),
            (next, Standing::Next),
        ])
        .unwrap();

        assert_eq!(ring.signing(SigningAlg::Es256).unwrap().kid(), current_kid);
        assert!(ring.signing(SigningAlg::Rs256).is_none());
        assert_eq!(ring.published(NOW - 1).keys.len(), 3);
        assert!(ring.verify::<Value>(&token, "JWT", NOW - 1).is_ok());
        assert_eq!(ring.published(NOW).keys.len(), 2);
        assert_eq!(
            ring.verify::<Value>(&token, "JWT", NOW),
            Err(JwsError::UnknownKey)
        );
    }

    #[test]
    fn whoever_looks_rarely_meets_the_oldest_key_until_it_is_over() {
        let (old, current, next) = (key(), key(), key());
        let kids = [&old, &current, &next].map(|key| key.kid().to_owned());
        let ring = KeyRing::new(vec![
            (next, Standing::Next),
            (current, Standing::Current),
            (old, Standing::RetiredUntil(NOW)),
        ])
        .unwrap();
        let order = |now| -> Vec<String> {
            let keys = ring.oldest_first(SigningAlg::Es256, now);
            keys.iter().map(|key| key.kid().to_owned()).collect()
        };
        assert_eq!(order(NOW - 1), kids);
        assert_eq!(order(NOW), kids[1..]);
        assert!(ring.oldest_first(SigningAlg::Rs256, NOW).is_empty());
    }

    #[test]
    fn the_published_set_holds_no_private_member() {
        let ring = crate::testing::ring();
        let json = serde_json::to_value(ring.published(NOW)).unwrap();
        for key in json["keys"].as_array().unwrap() {
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(private).is_none(), "{key}");
            }
            assert!(key["kid"].is_string() && key["alg"].is_string() && key["use"] == "sig");
        }
    }

    #[test]
    fn a_ring_has_exactly_one_current_key_an_algorithm() {
        assert_eq!(KeyRing::new(vec![]).unwrap_err(), RingError::NotOneCurrent);
        let two = vec![(key(), Standing::Current), (key(), Standing::Current)];
        assert_eq!(KeyRing::new(two).unwrap_err(), RingError::NotOneCurrent);
        let none = vec![(key(), Standing::Next)];
        assert_eq!(KeyRing::new(none).unwrap_err(), RingError::NotOneCurrent);
        let one = key();
        let same = SigningKey::from_pkcs8(SigningAlg::Es256, &one.to_pkcs8().unwrap()).unwrap();
        let twice = vec![(one, Standing::Current), (same, Standing::Next)];
        assert_eq!(KeyRing::new(twice).unwrap_err(), RingError::Twice);
    }
}
