//! Step: no parameter is given twice, known or not.

use super::Fault;
use super::redirect_uri::Reachable;

pub(super) fn each(request: &Reachable<'_>) -> Result<(), Fault> {
    // [RFC 6749 §3.1] "The authorization server MUST ignore unrecognized request parameters." — but not twice.
    request.fields.each_once().map_err(|_| Fault::Repeated)
}
