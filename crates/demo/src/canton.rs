//! The rooms of the demo, tied together.

use std::sync::Arc;

use axum::Router;

use crate::messages::Messages;
use crate::people::People;
use crate::phone::{self, Phone};
use crate::portal;
use crate::proxy::{self, Proxy};
use crate::reach::Reach;
use crate::settings::{Settings, SettingsError};
use crate::start::{self, Start};
use crate::world::World;

/// One canton: a router for each port, and the messages that arrived in it.
#[derive(Clone, Debug)]
pub struct Canton {
    /// Port N: front proxy and start page.
    pub proxy: Router,
    /// Port N+1: the portal ENT.
    pub ent: Router,
    /// Port N+2: the school administration ISM.
    pub ism: Router,
    /// Port N+3: phone, mailbox and SMS gateway.
    pub phone: Router,
    /// What arrived by SMS and mail; give it to [`crate::smtp_sink::serve`].
    pub messages: Messages,
}

impl Canton {
    /// Builds the rooms; nothing listens and nothing is sent yet.
    ///
    /// # Errors
    /// [`SettingsError`] where a link to be scanned is none.
    pub fn new(
        settings: Settings,
        reach: Arc<dyn Reach>,
        people: Arc<dyn People>,
        world: Arc<dyn World>,
    ) -> Result<Self, SettingsError> {
        let messages = Messages::default();
        let ent = portal::ent(&settings, (Arc::clone(&reach), Arc::clone(&world)));
        let ism = portal::ism(&settings, (Arc::clone(&reach), Arc::clone(&world)));
        let start = Start::new(&settings, Arc::clone(&people));
        let proxy = Proxy {
            places: settings.places,
            reach,
        };
        let phone = Phone::new(settings, people, world, messages.clone())?;
        Ok(Self {
            proxy: proxy::router(proxy, start::router(start)),
            ent,
            ism,
            phone: phone::router(phone),
            messages,
        })
    }
}
