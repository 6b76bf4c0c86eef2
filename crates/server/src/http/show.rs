//! Answers: pages with their headers and cookies, redirects, refusals.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFRESH, RETRY_AFTER,
        SET_COOKIE,
    },
};

use super::visit::Visit;
use crate::{
    app::App,
    catalogue::LOCAL,
    failure::Failure,
    page::{LoggedOut, Overloaded, Page, PauseWhy, Reason, Refused},
    settings::Settings,
};

/// After so long the database may be there again, in seconds.
pub(crate) const OUTAGE_S: u32 = 3;

/// A page.
pub(crate) fn page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    page: &impl Page,
) -> Result<Response, Failure> {
    let html = page.html(&visit.frame(app))?;
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let catalogue = app.catalogue.load();
    let policy = content_policy(&app.settings, &visit.nonce, &catalogue.form_action);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    set_cookies(&mut response, visit);
    Ok(response)
}

/// Only what the page itself brings: its style by nonce, our one script, our icon. Where a form
/// leads is limited to https and what else applications are registered with, because the last redirect of a sign-in leaves for the application.
pub(super) fn content_policy(settings: &Settings, nonce: &str, registered: &str) -> String {
    let local = match settings.is_https() || registered.contains(LOCAL) {
        true => "",
        false => LOCAL,
    };
    format!(
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; \
         style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self' data:; \
         form-action 'self' https:{local}{registered}"
    )
}

/// The page after a sign-out: the browser forgets what it kept of us.
pub(crate) fn signed_out(app: &App, visit: &Visit, said: &LoggedOut) -> Result<Response, Failure> {
    if visit.entered.is_some() {
        return see_other(visit, "/saml/leave");
    }
    let mut response = page(app, visit, StatusCode::OK, said)?;
    forget(response.headers_mut());
    Ok(response)
}

/// The browser forgets what it kept of us.
pub(crate) fn forget(headers: &mut HeaderMap) {
    const CLEAR: HeaderName = HeaderName::from_static("clear-site-data");
    headers.insert(CLEAR, HeaderValue::from_static("\"cache\""));
}

/// The cookies of a visit.
pub(crate) fn set_cookies(response: &mut Response, visit: &Visit) {
    for cookie in &visit.cookies {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
}

/// A redirect after which the browser uses GET, whatever came before.
pub(crate) fn see_other(visit: &Visit, location: &str) -> Result<Response, Failure> {
    let location = HeaderValue::from_str(location)
        .map_err(|_| Failure::Impossible("a redirect to an address with control characters"))?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, location);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_cookies(&mut response, visit);
    Ok(response)
}

/// A refusal that no field can mend.
pub(crate) fn refused(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    reason: Reason,
) -> Result<Response, Failure> {
    page(
        app,
        visit,
        status,
        &Refused {
            reason,
            support_code: None,
            again: None,
            back: None,
        },
    )
}

/// Too many people at this moment: the page says how long, and tries again by itself.
pub(crate) fn overloaded(app: &App, visit: &Visit, seconds: u32) -> Result<Response, Failure> {
    pause(app, visit, (PauseWhy::Crowd, seconds))
}

/// The database is out of reach: the page tries again by itself.
pub(crate) fn out_of_reach(app: &App, visit: &Visit) -> Result<Response, Failure> {
    pause(app, visit, (PauseWhy::Outage, OUTAGE_S))
}

/// The database was out of reach when something was sent: the page opens the step again, which shows
/// whether it was done. Nothing is sent a second time.
pub(crate) fn out_of_reach_after(app: &App, visit: &Visit) -> Result<Response, Failure> {
    let mut response = pause(app, visit, (PauseWhy::Sent, OUTAGE_S))?;
    // Named, so that no browser takes it for the form again.
    let opens = HeaderValue::from_str(&format!("{OUTAGE_S}; url={}", visit.here));
    let opens = opens.map_err(|_| Failure::Impossible("an address with control characters"))?;
    response.headers_mut().insert(REFRESH, opens);
    Ok(response)
}

fn pause(app: &App, visit: &Visit, (why, seconds): (PauseWhy, u32)) -> Result<Response, Failure> {
    let shown = Overloaded {
        seconds: u64::from(seconds),
        why,
    };
    let mut response = page(app, visit, StatusCode::SERVICE_UNAVAILABLE, &shown)?;
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
        .headers_mut()
        .insert(REFRESH, HeaderValue::from(seconds));
    Ok(response)
}

/// A failure on its way to the page: [`super::around`] finds it, logs it and shows it.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) chain: String,
    pub(crate) kind: Kind,
}

/// What a failure means for the person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Their activation was finished elsewhere.
    ActivationUsed,
    /// What they were at has ended elsewhere.
    Gone,
    /// Ours.
    Ours,
    /// Over in a moment.
    Passing,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        let kind = match &self {
            Self::ActivationUsed => Kind::ActivationUsed,
            Self::Gone => Kind::Gone,
            Self::Store(error) if error.is_passing() => Kind::Passing,
            _ => Kind::Ours,
        };
        let chain = self.chain();
        response.extensions_mut().insert(Failed { chain, kind });
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_whose_it_is() {
        let kind = |failure: Failure| {
            let mut response = failure.into_response();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            response.extensions_mut().remove::<Failed>().unwrap().kind
        };
        assert_eq!(kind(Failure::ActivationUsed), Kind::ActivationUsed);
        assert_eq!(kind(Failure::Gone), Kind::Gone);
        assert_eq!(kind(Failure::TooBusy), Kind::Ours);
        let disk = store::StoreError {
            doing: "asking",
            source: "the disk is on fire".into(),
        };
        assert_eq!(kind(Failure::Store(disk)), Kind::Ours);
    }
}
