//! What operators call, on their own listener: health and metrics.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header::CONTENT_TYPE};

use crate::app::App;

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

/// The store can be written to.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    match app.store.ready(PATIENCE).await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the store is not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store is not ready\n").into_response()
        }
    }
}

async fn metrics(State(app): State<App>) -> Response {
    let outbox = app.store.outbox_depth().await.unwrap_or_default();
    let text = app.metrics.render(app.pool.counters(), outbox);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], text).into_response()
}
