//! A look at an address that a technician registered: whether somebody answers there whom browsers would
//! believe, and what time they have. Nothing about anybody is sent.

use std::{error::Error, time::Duration};

use reqwest::{Client, header::DATE, redirect};

/// Nobody is waited for longer, in seconds.
const TIMEOUT_S: u64 = 5;

/// Somebody answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// What time they have [RFC 9110 §6.6.1], as they wrote it.
    pub date: Option<String>,
}

/// Nobody did, or nobody whom browsers believe.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{why}")]
pub struct Unseen {
    /// Somebody is there, and their certificate is not good.
    pub is_tls: bool,
    /// The innermost cause.
    pub why: String,
}

/// Looks at an address. It goes there and nowhere else: no redirect is followed, no proxy asked.
///
/// # Errors
/// [`Unseen`], after five seconds at the latest.
pub async fn look(url: &str) -> Result<Seen, Unseen> {
    let client = Client::builder()
        .timeout(Duration::from_secs(TIMEOUT_S))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .build();
    let client = client.map_err(|error| unseen(&error))?;
    let answer = client.head(url).send().await;
    let answer = answer.map_err(|error| unseen(&error))?;
    let date = answer.headers().get(DATE);
    Ok(Seen {
        date: date.and_then(|date| Some(date.to_str().ok()?.to_owned())),
    })
}

fn unseen(error: &reqwest::Error) -> Unseen {
    let mut is_tls = false;
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut why = String::new();
    while let Some(one) = cause {
        why = one.to_string();
        is_tls |= why.contains("certificate");
        cause = one.source();
    }
    if error.is_timeout() {
        why = format!("no answer within {TIMEOUT_S} s");
    }
    Unseen { is_tls, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_where_nobody_is_is_no_matter_of_certificates() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let unseen = look(&format!("http://{address}/callback"))
            .await
            .unwrap_err();
        assert!(!unseen.is_tls && !unseen.why.is_empty(), "{unseen:?}");
    }
}
