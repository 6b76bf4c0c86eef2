//! A new password: judged by the rules, compared with the last ones, and taken from somebody who types the one
//! before it.

use journey::{Complaint, Happened, PasswordProof, Person, Secret, Wearer, login};
use store::{Account, By, LaneKey, NewSession, PasswordChange, SessionRecord};
use tokio::runtime::Handle;

use super::{App, Caller, Moved};
use crate::{
    failure::Failure,
    password::{Busy, Password, PhcString, Salt, Stake, Stored, Verdict},
    ticket,
    world::Draw,
};

/// What somebody typed to change their password.
pub(crate) struct TypedChange {
    /// The one they have.
    pub(crate) current: Password,
    /// The one they want.
    pub(crate) new: Password,
    /// Whether they typed it twice.
    pub(crate) same: bool,
}

/// What became of it.
pub(crate) enum Changed {
    /// Too many people at this moment: nothing was looked at.
    Busy(Busy),
    /// The session is over, or what they prove with was changed meanwhile.
    Over,
    /// The new one does not satisfy the rules.
    Refused(Vec<Complaint>),
    /// Too many wrong passwords: nothing was looked at.
    Wait(i64),
    /// The one they have is another one.
    Wrong,
    /// It is set, and this session takes the place of the one at hand.
    Yes(NewSession),
}

impl App {
    /// Changes somebody's own password in a session that is enough for it.
    pub(crate) async fn change_password(
        &self,
        caller: &Caller,
        (session, person): (&SessionRecord, &Person),
        typed: TypedChange,
    ) -> Result<Changed, Failure> {
        let Some(account) = self.store.person(person.id).await? else {
            return Ok(Changed::Over);
        };
        let by = By {
            person: Some(person.id),
            ..self.by(caller, "", "account")
        };
        let current = typed.current.clone();
        if let Some(no) = self.refused(caller, &account, current, &by).await? {
            return Ok(no);
        }
        let complaints = match typed.same {
            false => Ok(vec![Complaint::NotTheSame]),
            true => self.complaints(&account, &typed.new, None).await?,
        };
        match complaints {
            Err(busy) => return Ok(Changed::Busy(busy)),
            Ok(complaints) if !complaints.is_empty() => {
                let refused = Happened::PasswordRefused {
                    complaints: complaints.clone(),
                };
                self.store.audit(&refused, &by).await?;
                return Ok(Changed::Refused(complaints));
            }
            Ok(_) => {}
        }
        let hash = match self.pool.hash(typed.new, Salt(self.world.bytes())).await {
            Err(busy) => return Ok(Changed::Busy(busy)),
            Ok(hash) => hash,
        };
        self.replace_password(caller, session, (&account, hash), &by)
            .await
    }

    /// Whoever types their password, in a session that is enough for it, binds another app: the journey to its
    /// first code begins.
    pub(crate) async fn begin_new_app(
        &self,
        caller: &Caller,
        ticket: ticket::SignIn,
        (session, person): (&SessionRecord, &Person),
        password: Password,
    ) -> Result<Result<Moved, Changed>, Failure> {
        let Some(account) = self.store.person(person.id).await? else {
            return Ok(Err(Changed::Over));
        };
        let by = By {
            person: Some(person.id),
            ..self.by(caller, &ticket.support, "account")
        };
        if let Some(no) = self.refused(caller, &account, password, &by).await? {
            return Ok(Err(no));
        }
        // Of the session's era: what it proved beside it may be taken back by now.
        let era = session.proof.password().era();
        let password = PasswordProof::assertion(by.at).in_era(era);
        let event = login::Event::NewAppAsked {
            proof: session.proof.with_password(password),
            session: session.key,
        };
        let moved = self.open(caller, ticket, (&account.person, event), None);
        moved.await.map(Ok)
    }

    /// Why the password they have is not looked at, or is another one; none if it is right. A try counts
    /// before its verdict.
    async fn refused(
        &self,
        caller: &Caller,
        account: &Account,
        password: Password,
        by: &By,
    ) -> Result<Option<Changed>, Failure> {
        let (lane, rule) = self.password_lane(caller, None, Some(account)).await?;
        if let Err(wait) = self.store.spend_try(&lane, &rule, by.at).await? {
            self.audit_throttled(by, Some(account), "password", wait.seconds)
                .await?;
            return Ok(Some(Changed::Wait(wait.seconds)));
        }
        let stake = self.stake(lane.clone());
        match self.check(Some(account), password, stake).await {
            Err(busy) => Ok(Some(Changed::Busy(busy))),
            Ok(true) => {
                self.store.refund_try(&lane).await?;
                Ok(None)
            }
            Ok(false) => {
                self.metrics.passwords_wrong.inc();
                self.store.audit(&Happened::PasswordWrong, by).await?;
                Ok(Some(Changed::Wrong))
            }
        }
    }

    async fn replace_password(
        &self,
        caller: &Caller,
        session: &SessionRecord,
        (account, hash): (&Account, PhcString),
        by: &By,
    ) -> Result<Changed, Failure> {
        let person = account.person.id;
        let plain = self.known_device(caller, person).await?;
        let both = self.proven_device(caller, person).await?;
        let proof = PasswordProof::assertion(by.at).in_era(account.era.saturating_add(1));
        let change = PasswordChange {
            devices: plain.into_iter().chain(both).collect(),
            id: self.world.id(),
            password: Secret::new(hash.as_str().as_bytes().to_vec()),
            person,
            place: caller.place.clone(),
            proof: session.proof.with_password(proof),
            session: session.key,
        };
        let changed = self.store.change_password(&change, by).await?;
        Ok(changed.map_or(Changed::Over, Changed::Yes))
    }

    /// The try of a lane, which comes back if the password is never looked at.
    pub(super) fn stake(&self, lane: LaneKey) -> Stake {
        let (store, runtime) = (self.store.clone(), Handle::current());
        Stake::new(move || {
            drop(runtime.spawn(async move {
                if let Err(error) = store.refund_try(&lane).await {
                    tracing::warn!(%error, "a try could not be given back");
                }
            }));
        })
    }

    /// An imported or outdated hash is replaced at its first use; in a rush, at the next one.
    pub(super) async fn upgrade(&self, account: &Account, password: Password) {
        let Ok(new) = self.pool.hash(password, Salt(self.world.bytes())).await else {
            return;
        };
        let new = Secret::new(new.as_str().as_bytes().to_vec());
        if let Some(old) = &account.password
            && let Err(error) = self
                .store
                .upgrade_password(account.person.id, old, &new)
                .await
        {
            // They are in all the same; the next sign-in tries again.
            tracing::warn!(%error, "a password hash could not be upgraded");
        }
    }

    /// What the rules have against a new password; among them that it is one of the last ones.
    pub(super) async fn complaints(
        &self,
        account: &Account,
        password: &Password,
        activation_code: Option<&Secret>,
    ) -> Result<Result<Vec<Complaint>, Busy>, Failure> {
        let catalogue = self.catalogue.load_full();
        let rules = &catalogue.policy.password;
        let wearer = Wearer {
            activation_code,
            first_name: &account.person.first_name,
            last_name: &account.person.last_name,
            username: &account.person.username,
        };
        let mut complaints = rules.judge(password.expose(), &wearer);
        let person = account.person.id;
        for old in self.store.password_history(person, rules.history).await? {
            let text = std::str::from_utf8(old.expose()).unwrap_or_default();
            let Ok(stored) = Stored::parse(text) else {
                continue;
            };
            let stake = Stake::none();
            match self.pool.verify(password.clone(), stored, stake).await {
                Ok(Verdict::Right { .. }) => complaints.push(Complaint::UsedBefore),
                Ok(Verdict::Wrong) => {}
                Err(busy) => return Ok(Err(busy)),
            }
        }
        complaints.dedup();
        Ok(Ok(complaints))
    }
}
