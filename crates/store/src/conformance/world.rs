//! The people, journeys and moments that the promises are about.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use journey::{
    ActivationId, Algorithm, Assurance, Carrier, FactorId, JourneyId, Language, Method, NameKey,
    Otp, OtpKind, PersonId, Phone, Place, Proof, Role, Secret, Timestamp,
    activation::{Activation, Opened},
    effect::{Activate, Effect},
    login::{AwaitCode, Login, SignedIn, Underway},
};
use tokio::sync::Barrier;

use crate::{
    Account, AnyStore, By, Committed, ImportError, Imported, Journey, JourneyState, NewActivation,
    NewPerson, NewSession, NewToken, StoreError,
    seal::{Keys, sha256},
};

/// What breaks a promise without an assertion.
pub(super) type Kept = Result<(), Cause>;
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The time at which everything happens that says nothing else.
pub(super) const NOW: Timestamp = Timestamp(1_900_000_000);

/// Two nodes on one database, and a source of things that were not there before.
pub(super) struct World {
    keys: [Arc<Keys>; 2],
    next: AtomicU64,
    nodes: [AnyStore; 2],
}

impl World {
    pub(super) fn new(nodes: [AnyStore; 2], keys: [Arc<Keys>; 2]) -> Self {
        Self {
            keys,
            next: AtomicU64::new(1),
            nodes,
        }
    }

    pub(super) fn store(&self) -> &AnyStore {
        let [store, _] = &self.nodes;
        store
    }

    /// The other node.
    pub(super) fn other(&self) -> &AnyStore {
        let [_, other] = &self.nodes;
        other
    }

    /// Whose what a code gave is.
    pub(super) async fn redeemed(
        &self,
        code: &[u8; 16],
        session: &[u8; 32],
    ) -> Result<Option<PersonId>, Cause> {
        let owner = self.store().redeemed(code, session).await?;
        Ok(owner.map(|account| account.person.id))
    }

    /// The keys of that store.
    pub(super) fn keys(&self) -> &Keys {
        let [keys, _] = &self.keys;
        keys
    }

    /// All nodes are given other keys while they serve.
    pub(super) fn take_keys(&self, newer: &Keys) {
        self.keys.iter().for_each(|keys| keys.replace(newer));
    }

    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        sha256(&self.number().to_be_bytes())
    }

    pub(super) fn id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(self.hash()) {
            *to = from;
        }
        id
    }

    pub(super) fn by(&self) -> By {
        By {
            address: Some("192.0.2.7".into()),
            at: NOW,
            person: None,
            place: Place::Public,
            support: format!("S{}", self.number()),
            through: "conformance".into(),
        }
    }

    /// Runs the same thing many times at once, on both nodes.
    pub(super) async fn race<T, F, R>(&self, tasks: usize, run: R) -> Result<Vec<T>, Cause>
    where
        T: Send + 'static,
        F: Future<Output = crate::Result<T>> + Send + 'static,
        R: Fn(AnyStore, usize) -> F,
    {
        let start = Arc::new(Barrier::new(tasks));
        let nodes = self.nodes.iter().cycle().take(tasks);
        let runs = nodes.enumerate().map(|(number, node)| {
            let (start, run) = (start.clone(), run(node.clone(), number));
            tokio::spawn(async move {
                start.wait().await;
                run.await
            })
        });
        let mut outcomes = Vec::with_capacity(tasks);
        for run in runs.collect::<Vec<_>>() {
            outcomes.push(run.await??);
        }
        Ok(outcomes)
    }

    pub(super) async fn open(
        &self,
        journey: &Journey,
        effects: &[Effect],
    ) -> Result<Committed, StoreError> {
        let by = self.by();
        self.store().open_journey(journey, effects, &by).await
    }

    pub(super) async fn commit(
        &self,
        journey: &Journey,
        effects: &[Effect],
    ) -> Result<Committed, StoreError> {
        let by = self.by();
        self.store().commit_journey(journey, effects, &by).await
    }

    pub(super) async fn import_people(
        &self,
        people: &[NewPerson],
    ) -> Result<Imported, ImportError> {
        self.store().import_people(people, &self.by()).await
    }

    pub(super) async fn import_tokens(&self, tokens: &[NewToken]) -> Result<u32, ImportError> {
        self.store().import_tokens(tokens, &self.by()).await
    }

    pub(super) fn phone(&self) -> Result<Phone, Cause> {
        Ok(Phone::parse(&format!("+4179{:07}", self.number()))?)
    }

    /// Somebody of the register, whom the store does not know.
    pub(super) fn stranger(&self) -> NewPerson {
        let number = self.number();
        NewPerson {
            aliases: vec![],
            first_name: "Élodie".into(),
            id: PersonId(self.id()),
            language: Language::Fr,
            last_name: format!("Rey {number}"),
            mail: format!("elodie.{number}@example.ch"),
            method: None,
            password: None,
            phone: None,
            role: Role::Teacher,
            school: Some("Collège des Creusets".into()),
            token_serial: None,
            username: format!("elodie.rey.{number}"),
        }
    }

    /// Somebody who was imported and has not activated.
    pub(super) async fn newcomer(&self) -> Result<PersonId, Cause> {
        let new = self.stranger();
        let import = self.import_people(std::slice::from_ref(&new));
        import.await?;
        Ok(new.id)
    }

    /// An open activation of somebody.
    pub(super) async fn activation(&self, person: PersonId) -> Result<ActivationId, Cause> {
        let new = NewActivation {
            id: ActivationId(self.id()),
            mac: self.hash(),
            message: None,
            person,
            until: NOW.plus(3600),
        };
        self.store().issue_activation(&new, &self.by()).await?;
        Ok(new.id)
    }

    /// Somebody who has activated with this method and a number.
    pub(super) async fn person(&self, method: Method) -> Result<PersonId, Cause> {
        let person = self.newcomer().await?;
        let activate = self.activate(person, method).await?;
        let opened = self.activating(&activate);
        let committed = self
            .open(&opened, &[Effect::Activate(Box::new(activate))])
            .await?;
        assert_eq!(committed, Committed::Yes(None));
        Ok(person)
    }

    /// A fresh activation of somebody, and what they choose.
    pub(super) async fn activate(
        &self,
        person: PersonId,
        method: Method,
    ) -> Result<Activate, Cause> {
        Ok(Activate {
            activation: self.activation(person).await?,
            chosen: Some((method, Some(self.phone()?))),
            password: Secret::new(format!("$argon2id${}", self.number()).into_bytes()),
            person,
        })
    }

    /// A journey that activates.
    pub(super) fn activating(&self, activate: &Activate) -> Journey {
        self.journey(JourneyState::Activation(Activation::CheckData(Opened {
            activation: activate.activation,
            code: Secret::new(b"ABCD-EFGH".to_vec()),
            person: activate.person,
            until: NOW.plus(3600),
        })))
    }

    /// A journey behind the password, which waits for a code.
    pub(super) fn signing_in(&self, person: PersonId) -> Result<Journey, Cause> {
        let underway = Underway {
            demand: Assurance::Strong,
            password: serde_json::from_value(serde_json::json!({ "at": NOW.0, "_checked": null }))?,
            person,
            seen: Place::Public,
            tries_left: 5,
            until: NOW.plus(900),
        };
        let state = Login::AwaitAppCode(AwaitCode {
            early: None,
            last: None,
            underway,
        });
        Ok(self.journey(JourneyState::Login(state)))
    }

    /// A journey that is over with its first step: the password was enough.
    pub(super) fn signed_in(&self, person: PersonId) -> Result<Journey, Cause> {
        let proof = proof()?;
        let state = Login::SignedIn(SignedIn { person, proof });
        Ok(self.journey(JourneyState::Login(state)))
    }

    pub(super) fn journey(&self, state: JourneyState) -> Journey {
        Journey {
            browser: self.hash(),
            id: JourneyId(self.id()),
            purpose: "https://portal.example/callback?state=x".into(),
            state,
            support: "K7QX-2M".into(),
            until: NOW.plus(900),
            version: 0,
        }
    }

    /// A session of somebody.
    pub(super) async fn session(&self, person: PersonId) -> Result<NewSession, Cause> {
        let journey = self.signed_in(person)?;
        let effects = [sign_in(person)?];
        match self.open(&journey, &effects).await? {
            Committed::Yes(Some(session)) => Ok(session),
            other => Err(format!("no session: {other:?}").into()),
        }
    }

    /// Somebody is let in on a device.
    pub(super) async fn lets_in_on(&self, person: PersonId, device: [u8; 32]) -> Kept {
        let journey = self.signed_in(person)?;
        let remember = Effect::RememberDevice { device, person };
        assert_eq!(
            self.open(&journey, &[remember]).await?,
            Committed::Yes(None)
        );
        Ok(())
    }

    pub(super) fn app(&self) -> Otp {
        Otp {
            carrier: Carrier::App,
            last_counter: Some(100),
            ..self.token().otp
        }
    }

    pub(super) fn token(&self) -> NewToken {
        NewToken {
            otp: Otp {
                algorithm: Algorithm::Sha1,
                carrier: Carrier::Token,
                digits: 6,
                drift: 0,
                id: FactorId(self.id()),
                kind: OtpKind::Hotp,
                last_counter: None,
                secret: Secret::new(self.hash().to_vec()),
            },
            serial: format!("FT{:06}", self.number()),
        }
    }

    /// Somebody with an app whose last counter is 100, and the app's id.
    pub(super) async fn holder_of_app(&self) -> Result<(PersonId, FactorId), Cause> {
        let person = self.person(Method::App).await?;
        let app = self.app();
        let id = app.id;
        let bind = Effect::EnrolApp {
            otp: Box::new(app),
            person,
            place: Place::Public,
        };
        let journey = self.signing_in(person)?;
        let bound = self.open(&journey, &[bind]).await?;
        assert_eq!(bound, Committed::Yes(None));
        Ok((person, id))
    }

    pub(super) async fn account(&self, person: PersonId) -> Result<Account, Cause> {
        let account = self.store().person(person).await?;
        account.ok_or_else(|| "the person is gone".into())
    }
}

/// The effect that signs somebody in.
pub(super) fn sign_in(person: PersonId) -> Result<Effect, Cause> {
    Ok(Effect::SignIn {
        person,
        place: Place::Public,
        proof: proof()?,
    })
}

/// The effect that spends a counter.
pub(super) fn spend(factor: FactorId, counter: u64) -> Effect {
    Effect::SpendCounter {
        counter,
        drift: 1,
        factor,
    }
}

fn proof() -> Result<Proof, Cause> {
    proof_of(0)
}

/// Only a journey makes a proof; one that was stored is read back.
pub(super) fn proof_of(era: u32) -> Result<Proof, Cause> {
    let password = serde_json::json!({ "at": NOW.0, "era": era, "_checked": null });
    let json = serde_json::json!({ "factor": null, "password": password });
    Ok(serde_json::from_value(json)?)
}

pub(super) fn key(name: &str) -> Result<NameKey, Cause> {
    NameKey::of(name).ok_or_else(|| "no name".into())
}

/// How many of the outcomes are this one.
pub(super) fn count<T: PartialEq>(outcomes: &[T], wanted: &T) -> usize {
    outcomes.iter().filter(|outcome| *outcome == wanted).count()
}
