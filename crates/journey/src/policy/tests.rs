//! The two presets as tables a person reads, and every way a policy does not start.

use expect_test::expect_file;

use super::*;

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::AskFactor => "ask factor",
        Verdict::AskSmsThenEnrol => "sms, enrol",
        Verdict::LetIn => "let in",
        Verdict::RefuseEnrolHere => "not here",
        Verdict::RefuseNoBinding => "no binding",
        Verdict::RefuseTooWeak => "too weak",
    }
}

/// One line for all demands of a case; lines that say the same for several roles are one.
fn table(policy: &Policy) -> String {
    use std::fmt::Write as _;
    let mut out = String::from(
        "what each application gets that asks for: password | vouched | strong | phishing-resistant\n",
    );
    let mut lines: Vec<(String, String, Vec<Role>)> = Vec::new();
    for facts in Facts::all().filter(|facts| facts.demand == Assurance::Password) {
        let cells = Assurance::ALL.map(|demand| word(policy.decide(&Facts { demand, ..facts }).0));
        let method = facts.method.map_or("nothing".into(), |method| {
            format!("{method:?}").to_lowercase()
        });
        let case = format!(
            "second factor {:<9} enrolment {:<8} {:<8} {:<9} {:<9}",
            format!("{:?}", facts.second_factor),
            format!("{:?}", facts.enrolment),
            method,
            if facts.enrolled { "bound" } else { "not bound" },
            if facts.phone { "phone" } else { "no phone" },
        );
        let cells = cells.map(|cell| format!("{cell:<10}")).join(" | ");
        match lines.iter_mut().find(|(c, v, _)| *c == case && *v == cells) {
            Some((.., roles)) => roles.push(facts.role),
            None => lines.push((case, cells, vec![facts.role])),
        }
    }
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    for (case, cells, roles) in lines {
        let roles = roles
            .iter()
            .map(|role| format!("{role:?}"))
            .collect::<Vec<_>>()
            .join(" ");
        let _ = writeln!(
            out,
            "{case} → {cells}  {}",
            if roles.split(' ').count() == 4 {
                "everybody".into()
            } else {
                roles
            }
        );
    }
    out
}

/// [Guide 3.1] [Guide 1.2] What the canton's policy decides, case by case.
#[test]
fn the_cantonal_policy_is_this_table() {
    expect_file!["../../snapshots/policy_valais.txt"].assert_eq(&table(&Policy::valais()));
}

#[test]
fn the_recommended_policy_is_this_table() {
    expect_file!["../../snapshots/policy_recommended.txt"]
        .assert_eq(&table(&Policy::recommended()));
}

/// [L02] Whatever the policy, a password alone never binds. [N05] Administrators never skip.
/// [O17] Mail is no method at all: the type has no such value.
#[test]
fn no_case_lets_a_password_bind_or_an_administrator_skip() {
    for policy in [Policy::valais(), Policy::recommended()] {
        for facts in Facts::all() {
            let (verdict, _) = policy.decide(&facts);
            assert_eq!(unsafe_because(verdict, &facts), None, "{facts:?}");
            if verdict == Verdict::AskSmsThenEnrol {
                assert!(facts.phone && facts.enrolment == Enrolment::Allowed);
            }
            if verdict == Verdict::LetIn {
                assert!(facts.role != Role::Admin && facts.demand == Assurance::Password);
            }
        }
    }
}

fn with_rule(rule: &str) -> Result<Policy, PolicyError> {
    let at = VALAIS.find("[[rule]]").unwrap();
    Policy::parse(&format!("{}{rule}\n{}", &VALAIS[..at], &VALAIS[at..]))
}

#[test]
fn an_edit_that_would_open_a_door_does_not_start() {
    for (rule, why) in [
        (
            "[[rule]]\nname = \"x\"\nthen = \"let-in\"",
            "lets a password in",
        ),
        (
            "[[rule]]\nname = \"x\"\nwhen = { second-factor = \"not-asked\", demand = [\"password\"] }\nthen = \"let-in\"",
            "administrators",
        ),
        (
            "[[rule]]\nname = \"x\"\nwhen = { second-factor = \"asked\", role = [\"pupil\"], demand = [\"password\"] }\nthen = \"let-in\"",
            "is asked for",
        ),
        (
            "[[rule]]\nname = \"x\"\nwhen = { enrolled = false, demand = [\"password\"], method = [\"app\"], phone = true }\nthen = \"ask-sms-then-enrol\"",
            "binding is refused",
        ),
        (
            "[[rule]]\nname = \"x\"\nwhen = { demand = [\"password\"] }\nthen = \"ask-factor\"",
            "not bound",
        ),
    ] {
        let error = with_rule(rule).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_gap_a_dead_rule_or_a_double_name_does_not_start() {
    let without_last = &VALAIS[..VALAIS.rfind("[[rule]]").unwrap()];
    assert!(matches!(
        Policy::parse(without_last),
        Err(PolicyError::Gap { .. })
    ));
    let dead = format!("{VALAIS}\n[[rule]]\nname = \"never\"\nthen = \"refuse-too-weak\"");
    assert!(matches!(
        Policy::parse(&dead),
        Err(PolicyError::DeadRule { .. })
    ));
    let double = VALAIS.replace(
        "an identity that is not activated cannot sign in",
        "without a number from the activation nothing can be bound",
    );
    assert!(matches!(
        Policy::parse(&double),
        Err(PolicyError::DoubleName { .. })
    ));
    assert!(Policy::parse(&VALAIS.replace("idle_s", "idle")).is_err());
    assert!(matches!(
        Policy::parse(&VALAIS.replace("length_min = 10", "length_min = 4")),
        Err(PolicyError::Limits(_))
    ));
}
