//! The network in memory: four rooms by their authority, and everybody's requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, Response};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use url::Url;

use crate::{Answer, Attempt};

/// Most bytes read of any answer.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// Where requests go. Holds the runtime, because stories do not wait.
#[derive(Clone)]
pub(crate) struct Net {
    rooms: Arc<BTreeMap<String, Router>>,
    pub(crate) runtime: Arc<Runtime>,
}

impl Net {
    /// Rooms by origin.
    pub(crate) fn new(runtime: Arc<Runtime>, rooms: BTreeMap<String, Router>) -> Self {
        Self {
            rooms: Arc::new(rooms),
            runtime,
        }
    }

    /// Whether somebody answers there.
    pub(crate) fn reaches(&self, url: &Url) -> bool {
        self.rooms.contains_key(&url.origin().ascii_serialization())
    }

    /// Sends requests all at once; the answers in their order.
    pub(crate) fn sends(&self, attempts: Vec<Attempt>) -> Vec<Answer> {
        let under_way: Vec<_> = attempts
            .into_iter()
            .map(|attempt| {
                let net = self.clone();
                self.runtime
                    .spawn(async move { net.exchange(attempt).await })
            })
            .collect();
        self.runtime.block_on(async {
            let mut answers = Vec::with_capacity(under_way.len());
            for task in under_way {
                match task.await {
                    Ok(answer) => answers.push(answer),
                    Err(error) => panic!("a request was not answered: {error}"),
                }
            }
            answers
        })
    }

    pub(crate) fn send(&self, attempt: Attempt) -> Answer {
        let url = attempt.url.clone();
        match self.sends(vec![attempt]).pop() {
            Some(answer) => answer,
            None => panic!("{url} was not answered"),
        }
    }

    async fn exchange(&self, attempt: Attempt) -> Answer {
        let Ok(url) = Url::parse(&attempt.url) else {
            panic!("`{}` is no address", attempt.url)
        };
        let Some(room) = self.rooms.get(&url.origin().ascii_serialization()) else {
            panic!("nobody answers at {url}");
        };
        let mut request = Request::builder()
            .method(attempt.method.as_str())
            .uri(&url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(
                "host",
                &url[url::Position::BeforeHost..url::Position::AfterPort],
            );
        for (name, value) in &attempt.headers {
            request = request.header(name, value);
        }
        match request.body(Body::from(attempt.body)) {
            Ok(request) => match room.clone().oneshot(request).await {
                Ok(response) => answer(response).await,
                Err(never) => match never {},
            },
            Err(error) => panic!("the request to {url} cannot be made: {error}"),
        }
    }
}

/// What a router answered, read to its end.
pub(crate) async fn answer(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = match to_bytes(body, ANSWER_MAX).await {
        Ok(body) => body,
        Err(error) => panic!("an answer could not be read: {error}"),
    };
    let headers = parts.headers.iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    Answer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}
