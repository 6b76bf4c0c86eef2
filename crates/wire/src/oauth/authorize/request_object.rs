//! Step: the parameters are in the request itself, not in an object that would have to be fetched.

use super::Fault;
use super::redirect_uri::Reachable;

pub(super) fn absent(request: &Reachable<'_>) -> Result<(), Fault> {
    // [OIDC Core §6.1] "the OP MUST return the "request_not_supported" error."
    // [OIDC Core §6.2] "the OP MUST return the "request_uri_not_supported" error."
    for (name, fault) in [
        ("request", Fault::RequestObject),
        ("request_uri", Fault::RequestUri),
        ("registration", Fault::Registration),
    ] {
        if request.value(name).is_some() {
            return Err(fault);
        }
    }
    Ok(())
}
