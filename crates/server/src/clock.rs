//! Whether this machine's clock can be believed.
//!
//! A clock that jumped would let in what is over, turn away what is not, and delete what others still need,
//! such as the proof that a code was used. The nodes of one database have its clock in common: a node that
//! differs from it takes itself out of readiness, and deletes nothing.

use store::StoreError;

use crate::app::App;

/// How far both may be apart, in seconds: a step of a code that counts with a clock, and less than the
/// minute that applications put up with in a token.
const APART_MAX_S: i64 = 30;

/// What is said of it.
pub(crate) const APART: &str = "this machine's clock is not the database's: set both by the network, `timedatectl set-ntp true`";

/// How many seconds this machine is ahead of the database, or behind if there are fewer than none; only
/// where that is too much.
pub(crate) async fn is_apart(app: &App) -> Result<Option<i64>, StoreError> {
    if !app.nodes.are_looked_for() {
        return Ok(None);
    }
    let there = app.store.clock().await?;
    let ahead = there.map(|there| app.world.now().0.saturating_sub(there.0));
    Ok(ahead.filter(|ahead| is_too_much(*ahead)))
}

const fn is_too_much(ahead_s: i64) -> bool {
    ahead_s.unsigned_abs() > APART_MAX_S.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::is_too_much;

    #[test]
    fn half_a_minute_is_put_up_with_in_either_direction() {
        assert!(
            [-30, -1, 0, 30]
                .into_iter()
                .all(|ahead| !is_too_much(ahead))
        );
        assert!([-3600, -31, 31, i64::MIN].into_iter().all(is_too_much));
    }
}
