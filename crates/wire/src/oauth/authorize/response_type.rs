//! Step: a code is asked for; there is no implicit grant.

use super::Fault;
use super::redirect_uri::Reachable;

pub(super) fn is_code(request: &Reachable<'_>) -> Result<(), Fault> {
    // [RFC 6749 §3.1.1] "or if the response type is not understood, the authorization server MUST return an error response as described in Section 4.1.2.1."
    match request.value("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(Fault::ResponseTypeUnsupported),
        None => Err(Fault::ResponseTypeMissing),
    }
}
