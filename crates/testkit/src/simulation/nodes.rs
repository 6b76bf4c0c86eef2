//! The nodes: the real provider, several times, each on a wire of its own; they die and are started anew.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use journey::Secret;
use peers::{PostForm, SendMail, SendSms};
use server::password::{Costs, Password, Pepper, Pool, PoolLimits, Salt};
use server::{Forwarding, Parts, Provider};
use store::{AnyStore, seal::Keys};

use super::fate::{Fate, Machine};
use super::post::Post;
use super::wire::{Lie, Wire};
use crate::memory::must;

/// The provider's address; nothing listens there.
pub(super) const ORIGIN: &str = "http://localhost:8400";

/// What all nodes share.
pub(super) struct Ground {
    pub(super) fate: Arc<Fate>,
    pub(super) keys: Arc<Keys>,
    pub(super) lie: Option<Lie>,
    pub(super) post: Arc<Post>,
    pub(super) store: AnyStore,
}

/// One node, alive or not.
pub(super) struct Node {
    life: Option<Life>,
    number: usize,
}

#[derive(Clone)]
pub(super) struct Life {
    pub(super) provider: Provider,
    pub(super) router: Router,
}

impl Ground {
    /// The store over the wire of a node.
    pub(super) fn wire(&self, node: usize) -> AnyStore {
        Arc::new(Wire {
            fate: Arc::clone(&self.fate),
            lie: self.lie,
            node,
            post: Arc::clone(&self.post),
            store: Arc::clone(&self.store),
        })
    }

    fn parts(&self, node: usize) -> Parts {
        let post = Arc::clone(&self.post);
        Parts {
            clock: Arc::new(|| Duration::ZERO),
            connect: Arc::new(move |_| {
                let (sms, mail, news) = (Arc::clone(&post), Arc::clone(&post), Arc::clone(&post));
                Ok((
                    sms as Arc<dyn SendSms>,
                    mail as Arc<dyn SendMail>,
                    news as Arc<dyn PostForm>,
                ))
            }),
            costs: Costs::dangerously_cheap(),
            keys: Arc::clone(&self.keys),
            limits: limits(),
            node: None,
            settings: server::Settings {
                forwarding: Forwarding::None,
                institution: journey::zone::Name {
                    de: "Kanton der Würfel".into(),
                    en: "Canton of dice".into(),
                    fr: "Canton des dés".into(),
                },
                mtls_url: None,
                proxies_pass_certificates: false,
                public_url: must("read the public address", ORIGIN.parse()),
                support: "027 000 00 00".into(),
                trusted_proxies: Vec::new(),
            },
            store: self.wire(node),
            world: Arc::new(Machine {
                fate: Arc::clone(&self.fate),
                node,
            }),
        }
    }

    /// The hash of a password, as the provider keeps it.
    pub(super) async fn hash(&self, password: &str) -> Secret {
        let pepper = Pepper::of(Arc::clone(&self.keys));
        let clock = Arc::new(|| Duration::ZERO);
        let costs = Costs::dangerously_cheap();
        let pool = must("start a pool", Pool::new(limits(), costs, pepper, clock));
        let password = must("take a password", Password::parse(password.to_owned()));
        let salt = Salt(self.fate.throws(|dice| dice.bytes()));
        let hash = must("hash a password", pool.hash(password, salt).await);
        Secret::new(hash.as_str().as_bytes().to_vec())
    }
}

fn limits() -> PoolLimits {
    PoolLimits {
        queue_max: 5000,
        ..PoolLimits::for_cores(NonZeroUsize::MIN)
    }
}

impl Node {
    pub(super) fn new(number: usize) -> Self {
        Self { life: None, number }
    }

    pub(super) fn life(&self) -> Option<&Life> {
        self.life.as_ref()
    }

    pub(super) fn dies(&mut self) {
        self.life = None;
    }

    /// Starts, if the store can be reached.
    pub(super) async fn starts(&mut self, ground: &Ground) {
        if self.life.is_none()
            && let Ok(provider) = Provider::start(ground.parts(self.number)).await
        {
            let router = provider.router();
            self.life = Some(Life { provider, router });
        }
    }
}
