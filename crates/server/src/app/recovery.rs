//! Recovery codes, as the runner meets them: a new set, and what a typed one is.

use journey::{PersonId, RightCode, SavedCode, factor::recovery::CODES, login::Event};
use store::{By, NewRecoverySet};

use super::{App, Caller};
use crate::{failure::Failure, recovery_code, world::Draw};

impl App {
    /// New codes for somebody, to be shown once; none if the set that they take the place of is not the one of
    /// now.
    pub(crate) async fn make_recovery_codes(
        &self,
        caller: &Caller,
        (person, era): (PersonId, u32),
        instead_of: Option<[u8; 16]>,
    ) -> Result<Option<Vec<String>>, Failure> {
        let codes: [String; CODES as usize] =
            std::array::from_fn(|_| recovery_code::draw(&*self.world));
        let macs = std::array::from_fn(|at| {
            let code = codes
                .get(at)
                .and_then(|code| recovery_code::canonical(code));
            recovery_code::mac(&self.keys, person, &code.unwrap_or_default())
        });
        let new = NewRecoverySet {
            era,
            id: self.world.id(),
            instead_of,
            macs,
            person,
        };
        let by = By {
            person: Some(person),
            ..self.by(caller, "", "account")
        };
        let made = self.store.make_recovery_set(&new, &by).await?;
        Ok(made.then(|| codes.to_vec()))
    }

    /// What a typed code is, for the step. Who has no codes costs the same time as who has.
    pub(super) async fn recovery_event(
        &self,
        person: PersonId,
        canonical: &str,
    ) -> Result<Event, Failure> {
        let set = self.store.recovery_set(person).await?;
        let nobodys = || vec![[0; 32]; usize::from(CODES)];
        let macs = set.as_ref().map_or_else(nobodys, |set| set.macs.clone());
        let mut found = None;
        for (place, mac) in (0_u8..).zip(&macs) {
            if recovery_code::is(&self.keys, person, canonical, mac) {
                found = Some(place);
            }
        }
        let Some((set, place)) = set.zip(found) else {
            return Ok(Event::RecoveryCodeRefused { used_before: false });
        };
        if set.used.get(usize::from(place)) != Some(&false) {
            return Ok(Event::RecoveryCodeRefused { used_before: true });
        }
        Ok(Event::RecoveryCodeRight(RightCode {
            code: SavedCode { place, set: set.id },
            left: set.left().saturating_sub(1),
        }))
    }
}
