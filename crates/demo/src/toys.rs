//! Toys for the tests of this crate: a clock one sets, dice one can repeat, an echo.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, Response};

use crate::people::{People, Standing};
use crate::reach::Reach;
use crate::world::World;

/// A world whose time stands still until it is moved; its chance is a counter.
pub(crate) struct Clockwork {
    now: AtomicI64,
    drawn: AtomicU64,
}

impl Clockwork {
    pub(crate) fn at(now: i64) -> Self {
        Self { now: AtomicI64::new(now), drawn: AtomicU64::new(0) }
    }

    pub(crate) fn passes(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl World for Clockwork {
    fn now_unix(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (byte, value) in bytes.iter_mut().zip(drawn.iter().cycle()) {
            *byte = *value;
        }
    }
}

/// Answers with what it was sent, a line a header, in the order of names.
pub(crate) struct Echo;

#[async_trait]
impl Reach for Echo {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let mut lines: Vec<String> = request
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str() != "cookie")
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        lines.insert(0, request.uri().to_string());
        Response::new(Body::from(lines.join("\n")))
    }
}

/// Everybody is activated and nobody enrolled.
pub(crate) struct Everybody;

#[async_trait]
impl People for Everybody {
    async fn standing(&self, _username: &str) -> Standing {
        Standing { activated: true, enrolled: false }
    }
}
