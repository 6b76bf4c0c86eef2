//! Step: `openid` is asked for, and nothing the application may not have.

use super::Fault;
use super::redirect_uri::Reachable;
use crate::oauth::scope::{Scope, ScopeName};

pub(super) fn allowed(request: &Reachable<'_>) -> Result<Scope, Fault> {
    // [RFC 6749 §3.3] "If the client omits the scope parameter when requesting authorization, the authorization server MUST either process the request using a pre-defined default value or fail the request indicating an invalid scope."
    let scope = Scope::understood(request.value("scope").unwrap_or_default());
    // [OIDC Core §3.1.2.1] "OpenID Connect requests MUST contain the "openid" scope value."
    if !scope.has(ScopeName::Openid) {
        return Err(Fault::ScopeWithoutOpenid);
    }
    let registered = request.client.scope();
    // [OIDC Core §11] "The Authorization Server MUST ignore the offline_access request unless the Client is using a response_type value that would result in an Authorization Code being returned."
    let scope = match registered.has(ScopeName::OfflineAccess) {
        true => scope,
        false => scope.without(ScopeName::OfflineAccess),
    };
    if scope.iter().all(|name| registered.has(name)) {
        Ok(scope)
    } else {
        Err(Fault::ScopeNotAllowed)
    }
}
