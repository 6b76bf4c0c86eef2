//! Step: how old the sign-in may be.

use super::Fault;
use super::redirect_uri::Reachable;

pub(super) fn asked(request: &Reachable<'_>) -> Result<Option<u32>, Fault> {
    let Some(text) = request.value("max_age") else {
        return Ok(None);
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::MaxAgeMalformed);
    }
    text.parse().map(Some).map_err(|_| Fault::MaxAgeMalformed)
}
