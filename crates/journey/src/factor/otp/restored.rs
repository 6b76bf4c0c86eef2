//! What a restore does to a generator: the counters spent since the backup are forgotten, so none that
//! may have been among them is ever accepted again.

use super::{Carrier, DRIFT_MAX_APP, DRIFT_MAX_TOKEN, LOOK_AHEAD, Otp, OtpKind, WINDOW, step_of};
use crate::moment::Timestamp;

impl Otp {
    /// The last counter to remember if what is known of this generator comes from a backup that is
    /// restored now; never less than the one it has.
    ///
    /// By the clock: the highest step for which anybody can have been accepted up to now. A phone's
    /// drift is as large as it may be; a token's may have grown by one since the backup, for its quartz
    /// takes weeks for more. So an app's next codes count after two minutes at most.
    ///
    /// By a button: as many as one code may be ahead. Nobody knows how often it was pressed since, so
    /// this covers the uses of some days; whoever holds it presses it [`LOOK_AHEAD`] times, or shows two
    /// codes in a row, which finds it up to a hundred presses away.
    #[must_use]
    pub fn counter_after_restore(&self, now: Timestamp) -> u64 {
        let spent = match self.kind {
            OtpKind::Totp { period_s } => {
                let drift = match self.carrier {
                    Carrier::App => DRIFT_MAX_APP,
                    Carrier::Token => self.drift.saturating_add(1).min(DRIFT_MAX_TOKEN),
                };
                step_of(now, period_s).saturating_add_signed(drift.saturating_add(WINDOW))
            }
            OtpKind::Hotp => match self.last_counter {
                Some(last) => last.saturating_add(LOOK_AHEAD),
                None => LOOK_AHEAD.saturating_sub(1),
            },
        };
        self.last_counter.map_or(spent, |last| spent.max(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        factor::{
            otp::{Algorithm, Checked},
            typed::Typed,
        },
        person::FactorId,
        secret::Secret,
    };

    const RESTORE: Timestamp = Timestamp(1_900_000_000);

    fn generator(carrier: Carrier, kind: OtpKind) -> Otp {
        Otp {
            algorithm: Algorithm::Sha1,
            carrier,
            digits: 6,
            drift: 0,
            id: FactorId([1; 16]),
            kind,
            last_counter: Some(100),
            secret: Secret::new(b"12345678901234567890".to_vec()),
        }
    }

    fn restored(otp: &Otp) -> Otp {
        Otp {
            last_counter: Some(otp.counter_after_restore(RESTORE)),
            ..otp.clone()
        }
    }

    fn at(otp: &Otp, counter: u64, now: Timestamp) -> Checked {
        let typed = Typed::parse(&otp.code_at(counter)).unwrap();
        otp.check(&typed, now)
    }

    /// [P15] Whichever codes an app's owner was signed in with before the restore, however their clock
    /// was off: none counts at any time after it.
    #[test]
    fn no_code_of_an_app_that_counted_before_the_restore_counts_after_it() {
        let app = generator(Carrier::App, OtpKind::Totp { period_s: 30 });
        for drift_in_backup in -DRIFT_MAX_APP..=DRIFT_MAX_APP {
            let known = restored(&Otp {
                drift: drift_in_backup,
                ..app.clone()
            });
            for drift_since in -DRIFT_MAX_APP..=DRIFT_MAX_APP {
                let expected = step_of(RESTORE, 30).saturating_add_signed(drift_since);
                for counter in expected - 5..=expected + 1 {
                    for late in (0..600).step_by(10) {
                        let checked = at(&known, counter, RESTORE.plus(late));
                        assert!(
                            !matches!(checked, Checked::Right { .. }),
                            "{counter} {late}"
                        );
                    }
                }
            }
        }
    }

    /// [P15] The codes that the app shows some minutes later count as always.
    #[test]
    fn an_app_counts_again_two_minutes_after_the_restore() {
        let app = generator(Carrier::App, OtpKind::Totp { period_s: 30 });
        let known = restored(&app);
        let later = RESTORE.plus(120);
        let counter = step_of(later, 30);
        assert!(matches!(at(&known, counter, later), Checked::Right { .. }));
    }

    /// [P15] A token with a clock that is far off is refused what it showed before, and nothing more.
    #[test]
    fn a_token_that_runs_fast_waits_no_longer_than_an_app() {
        let token = Otp {
            drift: 40,
            ..generator(Carrier::Token, OtpKind::Totp { period_s: 30 })
        };
        let known = restored(&token);
        let expected = step_of(RESTORE, 30) + 40;
        for counter in expected - 5..=expected + 2 {
            let now = RESTORE.plus(30);
            assert!(!matches!(at(&known, counter, now), Checked::Right { .. }));
        }
        let later = RESTORE.plus(120);
        assert!(matches!(
            at(&known, expected + 4, later),
            Checked::Right { .. }
        ));
    }

    /// [P15] Ten presses since the backup are covered; ten more, or two codes in a row, and it counts.
    #[test]
    fn a_button_counts_again_after_ten_presses() {
        let token = generator(Carrier::Token, OtpKind::Hotp);
        let known = restored(&token);
        for since in 1..=10 {
            let checked = at(&known, 100 + since, RESTORE);
            assert_eq!(checked, Checked::Replayed, "{since}");
        }
        for since in 0..10 {
            let next = 100 + since + LOOK_AHEAD + 1;
            assert!(matches!(at(&known, next, RESTORE), Checked::Right { .. }));
        }
        let code = |counter| Typed::parse(&token.code_at(counter)).unwrap();
        let found = known.resynchronise(&code(170), &code(171), RESTORE);
        assert!(matches!(found, Checked::Right { counter: 171, .. }));
    }

    /// [P15] A token that never showed a code may have done so since.
    #[test]
    fn a_token_that_was_new_is_moved_too() {
        let token = Otp {
            last_counter: None,
            ..generator(Carrier::Token, OtpKind::Hotp)
        };
        let known = restored(&token);
        assert_eq!(at(&known, 0, RESTORE), Checked::Replayed);
        assert!(matches!(at(&known, 10, RESTORE), Checked::Right { .. }));
    }

    #[test]
    fn a_counter_never_moves_back() {
        for kind in [OtpKind::Hotp, OtpKind::Totp { period_s: 30 }] {
            let far = Otp {
                last_counter: Some(u64::MAX - 1),
                ..generator(Carrier::Token, kind)
            };
            assert!(far.counter_after_restore(RESTORE) >= u64::MAX - 1);
        }
    }
}
