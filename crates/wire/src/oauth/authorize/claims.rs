//! Step: claims that are asked for one by one, as far as the application may have them.

use super::Fault;
use super::redirect_uri::Reachable;
use crate::oidc::claims_request::ClaimsRequest;

pub(super) fn asked(request: &Reachable<'_>) -> Result<ClaimsRequest, Fault> {
    let Some(text) = request.value("claims") else {
        return Ok(ClaimsRequest::default());
    };
    ClaimsRequest::read(text, &request.client.scope()).map_err(|_| Fault::ClaimsMalformed)
}
