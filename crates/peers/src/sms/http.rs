//! An SMS gateway spoken to over HTTP, described by configuration: Kannel, or what a carrier offers.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use async_trait::async_trait;
use reqwest::{
    Certificate, Client,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use serde::Deserialize;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::{
    gsm7::{self, Encoding},
    template::{Field, Resolved, Template, Values, as_is, in_json},
};
use crate::{
    Cause, ConfigError, PeerError, Receipt, SendSms, Sms, innermost, is_loopback, may_succeed_later,
};

/// No more of an answer is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const TIMEOUT_S_MAX: u64 = 60;

/// One gateway, as `gateways.toml` describes it; see [`crate::Gateways::example`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpGateway {
    name: String,
    url: Endpoint,
    #[serde(default)]
    method: Method,
    #[serde(default)]
    from: String,
    #[serde(default)]
    number: NumberFormat,
    #[serde(default)]
    headers: BTreeMap<String, Template>,
    #[serde(default)]
    query: BTreeMap<String, Template>,
    body: Option<Body>,
    #[serde(default)]
    success: Success,
    #[serde(default = "timeout_s_default")]
    timeout_s: u64,
    ca_file: Option<PathBuf>,
}

fn timeout_s_default() -> u64 {
    10
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Method {
    #[serde(rename = "GET")]
    Get,
    #[default]
    #[serde(rename = "POST")]
    Post,
}

/// How the gateway wants Swiss number 079 123 45 67.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum NumberFormat {
    #[default]
    #[serde(rename = "+41")]
    Plus,
    #[serde(rename = "0041")]
    Zeros,
    #[serde(rename = "41")]
    Digits,
}

impl NumberFormat {
    /// [E.164 §6] at most fifteen digits. `None` for anything else.
    fn write(self, e164: &str) -> Option<String> {
        let digits = e164.strip_prefix('+')?;
        let sound = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        sound.then(|| match self {
            Self::Plus => format!("+{digits}"),
            Self::Zeros => format!("00{digits}"),
            Self::Digits => digits.to_owned(),
        })
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Body {
    Form(BTreeMap<String, Template>),
    Json(Template),
    Text(Template),
}

/// What an answer looks like when the message was taken.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Success {
    /// First and last status.
    status: [u16; 2],
    contains: Option<String>,
}

impl Default for Success {
    fn default() -> Self {
        Self {
            status: [200, 299],
            contains: None,
        }
    }
}

/// Where it listens: over TLS, or on this machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Endpoint(Url);

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = Url::parse(&text).map_err(|error| format!("this is no URL: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL with a password ends in logs; use `headers` or `query`".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("put what follows `?` into `query`, where it is escaped".to_owned());
        }
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) => Ok(Self(url)),
            ("http", Some(host)) if is_loopback(host) => Ok(Self(url)),
            ("http", _) => Err("codes travel over https; http is for this machine only".to_owned()),
            _ => Err("only https is spoken".to_owned()),
        }
    }
}

impl HttpGateway {
    /// Its name, unique in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the types do not say. The error is one sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || self.name.len() > 40 || self.name.contains(char::is_control) {
            return Err("`name` needs 1 to 40 characters".to_owned());
        }
        if !(1..=TIMEOUT_S_MAX).contains(&self.timeout_s) {
            return Err(format!("`timeout_s` must be 1 to {TIMEOUT_S_MAX}"));
        }
        if self.method == Method::Get && self.body.is_some() {
            return Err("a GET has no `body`; use `query`, or `method = \"POST\"`".to_owned());
        }
        let [first, last] = self.success.status;
        if !(200..=299).contains(&first) || !(first..=299).contains(&last) {
            return Err("`success.status` must be a range within [200, 299]".to_owned());
        }
        for field in [Field::To, Field::Text] {
            if !self.carriers().any(|template| template.asks_for(field)) {
                let name = if field == Field::To { "to" } else { "text" };
                return Err(format!(
                    "`{{{name}}}` occurs neither in `query` nor in `body`"
                ));
            }
        }
        for (name, value) in &self.headers {
            HeaderName::try_from(name).map_err(|_| format!("`{name}` is no name of a header"))?;
            if [Field::Text, Field::To]
                .into_iter()
                .any(|field| value.asks_for(field))
            {
                return Err(format!(
                    "header `{name}`: the text and the number go elsewhere"
                ));
            }
        }
        if let Some(Body::Json(template)) = &self.body {
            let sample = template.sample(in_json);
            serde_json::from_str::<serde_json::Value>(&sample)
                .map_err(|error| format!("`body.json` is no JSON: {error}"))?;
        }
        Ok(())
    }

    /// Templates that may carry the message.
    fn carriers(&self) -> impl Iterator<Item = &Template> {
        let (form, whole) = match &self.body {
            Some(Body::Form(form)) => (Some(form), None),
            Some(Body::Json(whole) | Body::Text(whole)) => (None, Some(whole)),
            None => (None, None),
        };
        self.query
            .values()
            .chain(form.into_iter().flat_map(BTreeMap::values))
            .chain(whole)
    }
}

/// A gateway ready to be asked.
pub(crate) struct HttpSms {
    name: String,
    client: Client,
    url: Url,
    method: Method,
    from: String,
    number: NumberFormat,
    headers: Vec<(HeaderName, Resolved)>,
    query: Vec<(String, Resolved)>,
    body: Option<ResolvedBody>,
    success: Success,
    timeout_s: u64,
}

enum ResolvedBody {
    Form(Vec<(String, Resolved)>),
    Json(Resolved),
    Text(Resolved),
}

impl HttpSms {
    pub(crate) fn connect(gateway: &HttpGateway) -> Result<Self, ConfigError> {
        let mut client = Client::builder()
            .timeout(Duration::from_secs(gateway.timeout_s))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy();
        if let Some(path) = &gateway.ca_file {
            let unreadable = |source| ConfigError::File {
                path: path.clone(),
                source,
            };
            let pem = fs::read(path).map_err(unreadable)?;
            let certificates = Certificate::from_pem_bundle(&pem);
            let no_certificate = |_| ConfigError::Certificate { path: path.clone() };
            client = client.tls_certs_merge(certificates.map_err(no_certificate)?);
        }
        let headers = gateway.headers.iter().map(|(name, value)| {
            let name =
                HeaderName::try_from(name).map_err(|_| ConfigError::gateway(gateway, name))?;
            Ok((name, value.resolve()?))
        });
        let body = gateway.body.as_ref().map(|body| {
            Ok(match body {
                Body::Form(form) => ResolvedBody::Form(resolve_all(form)?),
                Body::Json(template) => ResolvedBody::Json(template.resolve()?),
                Body::Text(template) => ResolvedBody::Text(template.resolve()?),
            })
        });
        let tls = |error: reqwest::Error| ConfigError::gateway(gateway, &innermost(&error));
        Ok(Self {
            name: gateway.name.clone(),
            client: client.build().map_err(tls)?,
            url: gateway.url.0.clone(),
            method: gateway.method,
            from: gateway.from.clone(),
            number: gateway.number,
            headers: headers.collect::<Result<_, ConfigError>>()?,
            query: resolve_all(&gateway.query)?,
            body: body.transpose()?,
            success: gateway.success.clone(),
            timeout_s: gateway.timeout_s,
        })
    }

    fn request(&self, values: &Values<'_>) -> Result<reqwest::RequestBuilder, PeerError> {
        let mut url = self.url.clone();
        for (name, template) in &self.query {
            url.query_pairs_mut()
                .append_pair(name, &template.fill(values, as_is));
        }
        let method = match self.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut headers = HeaderMap::new();
        let mut request = self.client.request(method, url);
        if let Some(body) = &self.body {
            let (content_type, body) = body.fill(values);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            request = request.body(body.to_string());
        }
        for (name, template) in &self.headers {
            let value = HeaderValue::try_from(template.fill(values, as_is).as_str());
            let mut value = value.map_err(|_| self.refuse("value of a header"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(request.headers(headers))
    }

    async fn judge(&self, mut answer: reqwest::Response) -> Result<Receipt, PeerError> {
        let status = answer.status();
        let [first, last] = self.success.status;
        if !(first..=last).contains(&status.as_u16()) {
            let cause = Cause::Answered(status.as_u16());
            return Err(match may_succeed_later(status) {
                true => PeerError::temporary(&self.name, cause),
                false => PeerError::permanent(&self.name, cause),
            });
        }
        if let Some(expected) = &self.success.contains {
            let mut body = Vec::new();
            while body.len() < ANSWER_BYTES_MAX {
                let Some(chunk) = answer.chunk().await.map_err(|error| self.failed(&error))? else {
                    break;
                };
                let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
                body.extend(chunk.into_iter().take(room));
            }
            if !String::from_utf8_lossy(&body).contains(expected) {
                return Err(PeerError::permanent(&self.name, Cause::NotSuccess));
            }
        }
        Ok(Receipt {
            peer: self.name.clone(),
        })
    }

    /// No answer. The error itself names the URL, and with it secrets: only its innermost reason is kept.
    fn failed(&self, error: &reqwest::Error) -> PeerError {
        let cause = match error.is_timeout() {
            true => Cause::TimedOut(self.timeout_s),
            false => match std::error::Error::source(error) {
                Some(source) => Cause::Unreachable(innermost(source)),
                None => Cause::Unreachable("the connection broke".to_owned()),
            },
        };
        PeerError::temporary(&self.name, cause)
    }

    fn refuse(&self, what: &'static str) -> PeerError {
        PeerError::permanent(&self.name, Cause::Malformed(what))
    }
}

#[async_trait]
impl SendSms for HttpSms {
    async fn send(&self, sms: &Sms) -> Result<Receipt, PeerError> {
        let to = self
            .number
            .write(&sms.to)
            .ok_or_else(|| self.refuse("number"))?;
        if gsm7::segments(&sms.text) > gsm7::SEGMENTS_MAX {
            return Err(self.refuse("text, which is too long,"));
        }
        let coding = match gsm7::encoding(&sms.text) {
            Encoding::Gsm7 => "0",
            Encoding::Ucs2 => "2",
        };
        let values = Values {
            coding,
            from: &self.from,
            id: &sms.id,
            text: &sms.text,
            to: &to,
        };
        let answer = self
            .request(&values)?
            .send()
            .await
            .map_err(|error| self.failed(&error))?;
        self.judge(answer).await
    }
}

impl ResolvedBody {
    /// Content type and content.
    fn fill(&self, values: &Values<'_>) -> (&'static str, Zeroizing<String>) {
        match self {
            Self::Form(form) => {
                let mut encoded = form_urlencoded::Serializer::new(String::new());
                for (name, template) in form {
                    encoded.append_pair(name, &template.fill(values, as_is));
                }
                (
                    "application/x-www-form-urlencoded",
                    Zeroizing::new(encoded.finish()),
                )
            }
            Self::Json(template) => ("application/json", template.fill(values, in_json)),
            Self::Text(template) => ("text/plain; charset=utf-8", template.fill(values, as_is)),
        }
    }
}

fn resolve_all(
    templates: &BTreeMap<String, Template>,
) -> Result<Vec<(String, Resolved)>, ConfigError> {
    templates
        .iter()
        .map(|(name, value)| Ok((name.clone(), value.resolve()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    #[test]
    fn numbers_are_written_as_the_gateway_wants_them() {
        for (format, written) in [
            (NumberFormat::Plus, "+41791234567"),
            (NumberFormat::Zeros, "0041791234567"),
            (NumberFormat::Digits, "41791234567"),
        ] {
            assert_eq!(format.write("+41791234567").as_deref(), Some(written));
        }
    }

    /// [P08] What is not a number never reaches a gateway.
    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "+",
            "0791234567",
            "+0791234567",
            "+41 79 123",
            "+4179123456x",
            "+41&to=1",
        ] {
            assert_eq!(NumberFormat::Plus.write(text), None, "{text}");
        }
        assert_eq!(NumberFormat::Plus.write("+1234567890123456"), None);
    }

    #[test]
    fn a_refusal_is_told_from_a_bad_moment() {
        for later in [408, 425, 429, 500, 502, 503, 504] {
            assert!(
                may_succeed_later(StatusCode::from_u16(later).unwrap()),
                "{later}"
            );
        }
        for never in [301, 302, 400, 401, 403, 404, 413] {
            assert!(
                !may_succeed_later(StatusCode::from_u16(never).unwrap()),
                "{never}"
            );
        }
    }
}
