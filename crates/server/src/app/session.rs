//! Sessions, as requests meet them: whether one lives, and whether it is enough here.

use journey::{Person, PersonId, Place, Proof, Timestamp, login};
use store::{By, EndSessions, SessionRecord, StoreError};

use super::{App, Caller};
use crate::failure::Failure;
use wire::oauth::token::CLOCKS_APART_S_MAX;

impl App {
    /// The session of a cookie, if it lives by the policy's limits and its person is not switched
    /// off.
    pub(crate) async fn session(
        &self,
        hash: Option<[u8; 32]>,
    ) -> Result<Option<(SessionRecord, Person)>, Failure> {
        let Some(hash) = hash else { return Ok(None) };
        let now = self.world.now();
        let Some(session) = self.store.session(&hash, now).await? else {
            return Ok(None);
        };
        if !self.is_within_limits(&session, now) {
            // What is over ends here: this very look would make it seem used the next time.
            self.end_what_is_over(&session, now).await?;
            return Ok(None);
        }
        self.with_person(session).await
    }

    /// The same of this person, looked at without being used: an application that comes by itself keeps
    /// nobody signed in.
    pub(crate) async fn session_unused(
        &self,
        person: PersonId,
        key: &[u8; 32],
    ) -> Result<Option<(SessionRecord, Person)>, Failure> {
        let now = self.world.now();
        // A node whose clock is ahead may have made it just now.
        let until = now.plus(CLOCKS_APART_S_MAX);
        let all = self.store.sessions(person, until).await?;
        let mut found = all.into_iter().filter(|session| session.key == *key);
        match found.next() {
            Some(session) if self.is_within_limits(&session, now) => {
                self.with_person(session).await
            }
            _ => Ok(None),
        }
    }

    fn is_within_limits(&self, session: &SessionRecord, now: Timestamp) -> bool {
        let limits = self.catalogue.load().policy.session;
        let used = now.since(session.seen) < i64::from(limits.idle_s);
        let young = now.since(session.created) < i64::from(limits.absolute_s);
        used && young
    }

    async fn with_person(
        &self,
        session: SessionRecord,
    ) -> Result<Option<(SessionRecord, Person)>, Failure> {
        let account = self.store.person(session.person).await?;
        Ok(account
            .filter(|account| !account.person.disabled)
            .map(|a| (session, a.person)))
    }

    async fn end_what_is_over(
        &self,
        session: &SessionRecord,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let by = By {
            address: None,
            at: now,
            person: Some(session.person),
            place: session.place.clone(),
            support: String::new(),
            through: "session limits".to_owned(),
        };
        self.store
            .end_sessions(&EndSessions::Over(session.key), &by)
            .await?;
        Ok(())
    }

    /// Whether a session is enough for a demand made from here.
    pub(crate) fn enough(
        &self,
        proof: &Proof,
        made_at: &Place,
        demand: journey::Assurance,
        who: (&Caller, &Person),
    ) -> login::Enough {
        let catalogue = self.catalogue.load();
        let (caller, person) = who;
        let view = login::View {
            known_device: None,
            person: Some(person),
            place: &caller.place,
            policy: &catalogue.policy,
            sms_allowed: false,
        };
        login::enough(proof, made_at, demand, &view)
    }
}
