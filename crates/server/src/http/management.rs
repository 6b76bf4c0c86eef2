//! What operators call, on their own listener: health and metrics.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header::CONTENT_TYPE};
use store::StoreError;

use crate::{app::App, clock, metrics::Seen};

/// How long readiness waits for the store.
const PATIENCE: Duration = Duration::from_secs(2);

/// Health and metrics.
pub(crate) fn router(app: &App) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(app.clone())
}

/// The process answers.
pub(crate) async fn live() -> &'static str {
    "live\n"
}

/// The store can be written to, its clock is ours, and nothing keeps this node apart from the others.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let apart = match app.store.ready(PATIENCE).await {
        Ok(()) => clock::is_apart(&app).await,
        Err(error) => Err(error),
    };
    let apart = match apart {
        Ok(apart) => apart,
        Err(error) => return not_ready(&error),
    };
    if let Some(ahead_s) = apart {
        tracing::error!(ahead_s, "{}", clock::APART);
        let why = format!("{}; it is ahead by {ahead_s} s\n", clock::APART);
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    }
    let look = app.nodes.last();
    let Some(differs_in) = look.keeps_apart(app.world.now()) else {
        return "ready\n".into_response();
    };
    let why = format!(
        "the configuration of this node differs in `{}` from that of the eldest\n",
        differs_in.join("`, `")
    );
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

fn not_ready(error: &StoreError) -> Response {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "the store is not ready");
    (StatusCode::SERVICE_UNAVAILABLE, "the store is not ready\n").into_response()
}

async fn metrics(State(app): State<App>) -> Response {
    let nodes = app.nodes.last();
    let seen = Seen {
        apart: nodes.keeps_apart(app.world.now()).is_some(),
        nodes,
        outbox: app.store.outbox_depth().await.unwrap_or_default(),
        pool: app.pool.counters(),
        servers: app.nodes.servers(),
    };
    let text = app.metrics.render(&seen);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], text).into_response()
}
