//! An app or a token that comes from a backup.

use journey::{OtpKind, PersonId, Timestamp};

use crate::{
    forms::{self, Bound, Cause, to_sql},
    seal::Keys,
};

/// What its row holds.
pub(crate) struct Factor {
    pub(crate) bound: Bound,
    pub(crate) id: [u8; 16],
    pub(crate) person: Option<[u8; 16]>,
    pub(crate) serial: Option<String>,
}

/// Where it stands after a restore.
pub(crate) struct Moved {
    pub(crate) has_button: bool,
    pub(crate) id: [u8; 16],
    pub(crate) last_counter: i64,
}

impl Factor {
    /// Moves it past all that it may have shown since the backup.
    pub(crate) fn after_restore(self, keys: &Keys, now: Timestamp) -> Result<Option<Moved>, Cause> {
        let aad = match (&self.serial, self.person) {
            (Some(serial), _) => Some(forms::token_aad(serial)),
            (None, Some(person)) => Some(forms::app_aad(self.id, PersonId(person))),
            (None, None) => None,
        };
        let Some(otp) = self.bound.open(keys, aad)? else {
            return Ok(None);
        };
        Ok(Some(Moved {
            has_button: otp.kind == OtpKind::Hotp,
            id: self.id,
            last_counter: to_sql(otp.counter_after_restore(now))?,
        }))
    }
}
