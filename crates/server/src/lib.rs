//! Who calls us: HTTP, pages, the runner of the journeys, and the jobs in the background.
//!
//! [`app`] is the only caller of the journeys' `step`; [`gate`] is the only place that issues
//! sessions, codes and tokens. Deliberately absent: SQL, concrete stores, gateways and mail servers
//! (the binary names them), texts for people (they are in `locales/`).

pub mod activation_code;
mod app;
pub mod catalogue;
mod clock;
mod cookie;
mod errand;
mod failure;
mod federation;
mod gate;
mod held_certificate;
mod http;
mod jobs;
pub mod listen;
mod metrics;
mod nodes;
pub mod page;
pub mod password;
mod recovery_code;
pub mod release;
pub mod saml;
mod settings;
mod sources;
mod ticket;
pub mod visitor;
mod words;
mod world;

use std::sync::Arc;

use axum::Router;

pub use crate::{
    app::{Parts, StartError},
    http::{
        routes::{ROUTES, Route, for_applications},
        waiting::Waiting,
    },
    nodes::NodeName,
    settings::Settings,
    visitor::{Forwarding, Peer},
    world::{RealWorld, World},
};

/// A running identity provider, without sockets.
#[derive(Clone)]
pub struct Provider {
    app: app::App,
}

impl Provider {
    /// Reads the configuration from the store, starts the hash pool, and looks who else serves.
    ///
    /// # Errors
    /// [`StartError`]: a configuration that cannot be used is said in full.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let app = app::App::start(parts).await?;
        nodes::look(&app).await;
        Ok(Self { app })
    }

    /// What people and applications reach.
    pub fn router(&self) -> Router {
        http::routes::router(&self.app)
    }

    /// What operators reach: health and metrics.
    pub fn management(&self) -> Router {
        http::management::router(&self.app)
    }

    /// Looks for a newer configuration; true if one was taken into use.
    ///
    /// # Errors
    /// Whatever makes the new configuration unusable; the one in use stays.
    pub async fn reload(&self) -> Result<bool, catalogue::CatalogueError> {
        self.app.reload().await
    }

    /// Sends what is due, once; how many messages went out.
    pub async fn deliver_messages(&self) -> usize {
        jobs::deliver(&self.app).await
    }

    /// Fetches the metadata of all federations, once; how many were believed.
    pub async fn refresh_federations(&self) -> usize {
        federation::refresh(&self.app, &mut federation::Plans::default()).await
    }

    /// Runs the jobs in the background until `shutdown` is ready: outbox, configuration, upkeep, the look
    /// for other nodes. Then these are told that this one leaves.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = jobs::run(&self.app) => {}
            () = shutdown => {}
        }
        nodes::leave(&self.app).await;
    }

    /// Tells the other nodes that this one has ended: nothing is answered any more.
    pub async fn left(&self) {
        nodes::left(&self.app).await;
    }
}
