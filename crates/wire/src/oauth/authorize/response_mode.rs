//! Step: the answer goes into the query.

use super::Fault;
use super::redirect_uri::Reachable;

pub(super) fn is_query(request: &Reachable<'_>) -> Result<(), Fault> {
    // [OIDC Core §3.1.2.6] "If the Response Mode value is not supported, the Authorization Server returns an HTTP response code of 400 (Bad Request) without Error Response parameters"
    match request.fields.one("response_mode") {
        Ok(None | Some("query")) => Ok(()),
        _ => Err(Fault::ResponseModeUnsupported),
    }
}
