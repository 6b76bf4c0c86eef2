//! The variants of the activation's pages that are worth a look.

use super::*;
use crate::page::Samples;

const ACTION: &str = "/activate/0199a1b2";

impl Samples for ActivationStart {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            action: "/activate".to_owned(),
            username: String::new(),
            activation_code: String::new(),
            problem: None,
            step: Some(Step { at: 1, of: 4 }),
        };
        let again = |problem| Self {
            username: "sophie.rey".to_owned(),
            problem: Some(problem),
            ..plain.clone()
        };
        vec![
            ("wrong", again(StartProblem::WrongCode)),
            (
                "expired",
                again(StartProblem::Expired {
                    since: Timestamp(1_786_946_100),
                }),
            ),
            ("used", again(StartProblem::Used)),
            ("wait", again(StartProblem::Wait { seconds: 60 })),
            ("plain", plain),
        ]
    }
}

impl Samples for ActivationData {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            first_name: "Sophie".to_owned(),
            last_name: "Rey".to_owned(),
            mail: "sophie.rey@edu.example".to_owned(),
            school: Some("Centre scolaire de Martigny".to_owned()),
            username: "sophie.rey".to_owned(),
            action: ACTION.to_owned(),
            step: Some(Step { at: 2, of: 4 }),
        };
        vec![
            (
                "no-school",
                Self {
                    school: None,
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}

impl Samples for ActivationPassword {
    fn samples() -> Vec<(&'static str, Self)> {
        let rules = PasswordRules {
            block_list: true,
            classes_min: 3,
            history: 10,
            length_max: 50,
            length_min: 10,
            no_names: true,
            no_words: vec!["valais".to_owned()],
        };
        let plain = Self {
            username: "sophie.rey".to_owned(),
            names: vec!["Sophie".to_owned(), "Rey".to_owned()],
            rules: rules.clone(),
            complaints: Vec::new(),
            action: ACTION.to_owned(),
            by_code: true,
            step: Some(Step { at: 3, of: 4 }),
        };
        let current = PasswordRules {
            classes_min: 0,
            history: 0,
            length_max: 256,
            length_min: 15,
            no_names: false,
            ..rules
        };
        let all = vec![
            Complaint::TooShort,
            Complaint::TooLong,
            Complaint::TooFewClasses,
            Complaint::IsTheCode,
            Complaint::ContainsName,
            Complaint::ContainsWord,
            Complaint::TooCommon,
            Complaint::UsedBefore,
        ];
        let refused = |complaints| Self {
            complaints,
            ..plain.clone()
        };
        vec![
            (
                "refused",
                refused(vec![Complaint::TooShort, Complaint::ContainsName]),
            ),
            ("not-the-same", refused(vec![Complaint::NotTheSame])),
            ("everything-wrong", refused(all)),
            (
                "recommended",
                Self {
                    rules: current,
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}

impl Samples for ActivationPhoneMethod {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            phone: String::new(),
            method: None,
            methods: vec![Method::App, Method::Sms, Method::Token],
            problems: Vec::new(),
            action: ACTION.to_owned(),
            step: Some(Step { at: 4, of: 4 }),
        };
        let refused = |phone: &str, problems| Self {
            phone: phone.to_owned(),
            method: Some(Method::App),
            problems,
            ..plain.clone()
        };
        let phone = |error| vec![PhoneMethodProblem::Phone(error)];
        let missing = vec![
            PhoneMethodProblem::PhoneMissing,
            PhoneMethodProblem::MethodMissing,
        ];
        vec![
            (
                "missing",
                Self {
                    method: None,
                    ..refused("", missing)
                },
            ),
            (
                "country",
                refused("+1 900 123 4567", phone(PhoneError::Country)),
            ),
            (
                "not-mobile",
                refused("027 606 00 00", phone(PhoneError::NotMobile)),
            ),
            (
                "unreadable",
                refused("mon portable", phone(PhoneError::Unreadable)),
            ),
            (
                "sms-only",
                Self {
                    methods: vec![Method::Sms],
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}

impl Samples for ActivationToken {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            serial: String::new(),
            problem: None,
            action: ACTION.to_owned(),
            step: Some(Step { at: 5, of: 5 }),
        };
        let again = |problem| Self {
            serial: "2308471134711".to_owned(),
            problem: Some(problem),
            ..plain.clone()
        };
        vec![
            ("wrong", again(TokenProblem::Wrong { tries_left: 3 })),
            ("replayed", again(TokenProblem::Replayed)),
            ("malformed", again(TokenProblem::Malformed)),
            ("plain", plain),
        ]
    }
}

impl Samples for ActivationDone {
    fn samples() -> Vec<(&'static str, Self)> {
        let of = |method| Self {
            username: "sophie.rey".to_owned(),
            method,
            next: Link {
                name: "ENT".to_owned(),
                url: "https://edu.vs.ch/".to_owned(),
            },
        };
        vec![
            ("app", of(Method::App)),
            ("sms", of(Method::Sms)),
            ("token", of(Method::Token)),
        ]
    }
}
