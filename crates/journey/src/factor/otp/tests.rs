//! The vectors of the two RFCs, and the promises about windows, drift and replay.

use super::*;

fn otp(kind: OtpKind) -> Otp {
    Otp {
        algorithm: Algorithm::Sha1,
        carrier: Carrier::Token,
        digits: 6,
        drift: 0,
        id: FactorId([1; 16]),
        kind,
        last_counter: None,
        secret: Secret::new(b"12345678901234567890".to_vec()),
    }
}

fn totp() -> Otp {
    Otp {
        carrier: Carrier::App,
        ..otp(OtpKind::Totp { period_s: 30 })
    }
}

fn typed(code: &str) -> Typed {
    Typed::parse(code).unwrap()
}

/// [RFC 4226 App. D]
#[test]
fn the_ten_values_of_rfc_4226_come_out() {
    let expected = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    for (counter, code) in expected.iter().enumerate() {
        assert_eq!(otp(OtpKind::Hotp).code_at(counter as u64), *code);
    }
}

/// [RFC 6238 App. B]
#[test]
fn the_eighteen_values_of_rfc_6238_come_out() {
    let seeds: [(Algorithm, &[u8]); 3] = [
        (Algorithm::Sha1, b"12345678901234567890"),
        (Algorithm::Sha256, b"12345678901234567890123456789012"),
        (
            Algorithm::Sha512,
            b"1234567890123456789012345678901234567890123456789012345678901234",
        ),
    ];
    let table = [
        (59, ["94287082", "46119246", "90693936"]),
        (1_111_111_109, ["07081804", "68084774", "25091201"]),
        (1_111_111_111, ["14050471", "67062674", "99943326"]),
        (1_234_567_890, ["89005924", "91819424", "93441116"]),
        (2_000_000_000, ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ];
    for (at, codes) in table {
        for ((algorithm, seed), code) in seeds.iter().zip(codes) {
            let otp = Otp {
                algorithm: *algorithm,
                digits: 8,
                secret: Secret::new(seed.to_vec()),
                ..totp()
            };
            assert_eq!(otp.code_at(at / 30), code, "{at} {algorithm:?}");
        }
    }
}

/// [O03] The accepted set is exactly the expected step and one on either side.
/// [RFC 6238 §5.2] "We RECOMMEND that at most one time step is allowed as the network delay."
#[test]
fn three_steps_are_accepted_and_no_fourth() {
    let now = Timestamp(1_000_000_020);
    let step = step_of(now, 30);
    for offset in -30_i64..=30 {
        let code = totp().code_at(step.saturating_add_signed(offset));
        let right = matches!(totp().check(&typed(&code), now), Checked::Right { .. });
        assert_eq!(right, offset.abs() <= 1, "{offset}");
    }
}

/// [O01] A step is accepted once, and every step before it never again.
/// [RFC 6238 §5.2] "The verifier MUST NOT accept the second attempt of the OTP after the
/// successful validation has been issued for the first OTP"
#[test]
fn a_used_step_and_every_earlier_one_is_a_replay() {
    let now = Timestamp(1_000_000_020);
    let step = step_of(now, 30);
    let used = Otp {
        last_counter: Some(step),
        ..totp()
    };
    for offset in [-1, 0] {
        let code = used.code_at(step.saturating_add_signed(offset));
        assert_eq!(used.check(&typed(&code), now), Checked::Replayed);
    }
    let next = used.code_at(step + 1);
    assert_eq!(
        used.check(&typed(&next), now),
        Checked::Right {
            counter: step + 1,
            drift: 1
        }
    );
}

/// [O04] Drift is remembered, bounded, and never widens the accepted set.
#[test]
fn drift_moves_the_window_and_does_not_widen_it() {
    let now = Timestamp(1_000_000_020);
    let step = step_of(now, 30);
    for drift in -DRIFT_MAX_APP..=DRIFT_MAX_APP {
        let drifted = Otp { drift, ..totp() };
        let accepted: Vec<i64> = (-40_i64..=40)
            .filter(|offset| {
                let code = drifted.code_at(step.saturating_add_signed(*offset));
                match drifted.check(&typed(&code), now) {
                    Checked::Right { drift, .. } => {
                        assert!(drift.abs() <= DRIFT_MAX_APP);
                        true
                    }
                    _ => false,
                }
            })
            .collect();
        assert_eq!(accepted, [drift - 1, drift, drift + 1]);
    }
}

/// [Guide 4.10] A code that would be right at another minute is refused with the cause.
#[test]
fn a_slow_phone_is_measured_and_still_refused() {
    let now = Timestamp(1_000_000_020);
    let step = step_of(now, 30);
    let verdict = |steps: i64| {
        totp().check(
            &typed(&totp().code_at(step.saturating_add_signed(steps))),
            now,
        )
    };
    assert_eq!(
        verdict(-8),
        Checked::Wrong {
            clock_ahead_s: Some(-240)
        }
    );
    assert_eq!(
        verdict(20),
        Checked::Wrong {
            clock_ahead_s: Some(600)
        }
    );
    assert_eq!(
        verdict(-20),
        Checked::Wrong {
            clock_ahead_s: Some(-600)
        }
    );
    assert_eq!(
        verdict(21),
        Checked::Wrong {
            clock_ahead_s: None
        }
    );
}

/// [O05] An HOTP token is followed ten counters ahead, and never back.
/// [RFC 4226 §7.4] "the server can recalculate the next s HOTP-server values"
#[test]
fn a_button_may_be_pressed_nine_times_in_a_pocket() {
    let token = Otp {
        last_counter: Some(4),
        ..otp(OtpKind::Hotp)
    };
    assert_eq!(
        token.check(&typed(&token.code_at(5)), Timestamp(0)),
        Checked::Right {
            counter: 5,
            drift: 0
        }
    );
    assert_eq!(
        token.check(&typed(&token.code_at(14)), Timestamp(0)),
        Checked::Right {
            counter: 14,
            drift: 0
        }
    );
    assert_eq!(
        token.check(&typed(&token.code_at(15)), Timestamp(0)),
        Checked::Wrong {
            clock_ahead_s: None
        }
    );
    for old in 0..=4 {
        assert_eq!(
            token.check(&typed(&token.code_at(old)), Timestamp(0)),
            Checked::Replayed
        );
    }
}

/// [O05] Two consecutive codes find a counter within a hundred; one right and one wrong do not.
#[test]
fn two_consecutive_codes_resynchronise_a_token() {
    let token = Otp {
        last_counter: Some(4),
        ..otp(OtpKind::Hotp)
    };
    let pair = |a: u64, b: u64| {
        token.resynchronise(
            &typed(&token.code_at(a)),
            &typed(&token.code_at(b)),
            Timestamp(0),
        )
    };
    assert_eq!(
        pair(80, 81),
        Checked::Right {
            counter: 81,
            drift: 0
        }
    );
    assert_eq!(
        pair(80, 82),
        Checked::Wrong {
            clock_ahead_s: None
        }
    );
    assert_eq!(
        pair(105, 106),
        Checked::Wrong {
            clock_ahead_s: None
        }
    );
    assert_eq!(
        pair(3, 4),
        Checked::Wrong {
            clock_ahead_s: None
        }
    );

    let now = Timestamp(1_000_000_020);
    let clocked = Otp {
        carrier: Carrier::Token,
        ..totp()
    };
    let step = step_of(now, 30) - 8;
    let (first, second) = (
        typed(&clocked.code_at(step)),
        typed(&clocked.code_at(step + 1)),
    );
    assert_eq!(
        clocked.resynchronise(&first, &second, now),
        Checked::Right {
            counter: step + 1,
            drift: -7
        }
    );
    let spent = Otp {
        last_counter: Some(step + 1),
        ..clocked
    };
    assert_eq!(spent.resynchronise(&first, &second, now), Checked::Replayed);
}

/// [O06] Secrets for apps have 160 bits, all from the dice.
/// [RFC 4226 §4] "The length of the shared secret MUST be at least 128 bits."
#[test]
fn a_drawn_secret_has_160_bits() {
    let drawn = Otp::draw_for_app(FactorId([0; 16]), &[7; 32]);
    assert_eq!(drawn.secret.expose(), [7; 20]);
}

#[test]
fn the_end_of_time_breaks_nothing() {
    for (last_counter, now) in [(Some(u64::MAX), i64::MAX), (None, i64::MIN), (Some(0), 0)] {
        for kind in [
            OtpKind::Hotp,
            OtpKind::Totp { period_s: 0 },
            OtpKind::Totp { period_s: 60 },
        ] {
            let otp = Otp {
                last_counter,
                drift: i64::MIN,
                ..otp(kind)
            };
            let _ = otp.check(&typed("000000"), Timestamp(now));
            let _ = otp.resynchronise(&typed("000000"), &typed("000001"), Timestamp(now));
        }
    }
}
