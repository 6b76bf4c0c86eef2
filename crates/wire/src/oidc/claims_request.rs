//! The `claims` parameter: an application says claim by claim what it wants, and of whom
//! [OIDC Core §5.5].
//!
//! Only what a registration allows is kept, so that nothing behind this module can release more. That a
//! claim is essential, or wanted with a value, changes nothing but for `sub` and `acr`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::claims::{ClaimName, Named};
use crate::json::Json;
use crate::oauth::scope::Scope;

/// What an application asks for by name, as far as it may.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimsRequest {
    /// Claims beside those of the scopes.
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub named: Named,
    /// The only ones it may be about, as the application knows them; none: anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
    /// Of these values of `acr` one must be true; none: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<Vec<String>>,
    /// Values of `acr` that the application would like, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acr_wished: Vec<String>,
}

/// The parameter cannot be read, or contradicts itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the claims parameter is not what the standard describes")]
pub struct Unreadable;

impl ClaimsRequest {
    /// Reads the parameter of an application that is registered for these scopes.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(text: &str, registered: &Scope) -> Result<Self, Unreadable> {
        if text.len() > BYTES_MAX {
            return Err(Unreadable);
        }
        let claims = Json::read(text, DEPTH_MAX).ok_or(Unreadable)?;
        // [OIDC Core §5.5] "Other members MAY be present. Any members used that are not understood MUST be ignored."
        if !matches!(claims, Json::Object(_)) {
            return Err(Unreadable);
        }
        let (of_userinfo, of_id_token) =
            (member(&claims, "userinfo")?, member(&claims, "id_token")?);
        let named = Named {
            id_token: known(&of_id_token),
            userinfo: known(&of_userinfo),
        };
        let acr = find(&of_id_token, "acr").cloned().unwrap_or_default();
        let wished = acr.values.unwrap_or_default();
        Ok(Self {
            named: named.within(registered),
            subjects: subjects([&of_userinfo, &of_id_token])?,
            acr: (acr.essential && !wished.is_empty()).then(|| wished.clone()),
            acr_wished: wished,
        })
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it may be about somebody whom the application knows under this name.
    // [OIDC Core §3.1.2.2] "The Authorization Server MUST NOT reply with an ID Token or Access Token for a different user, even if they have an active session with the Authorization Server."
    #[must_use]
    pub fn is_about(&self, sub: &str) -> bool {
        let subjects = self.subjects.as_ref();
        subjects.is_none_or(|subjects| subjects.iter().any(|subject| subject == sub))
    }

    /// The parameter that asks for the same; none if it asks for nothing.
    #[must_use]
    pub fn parameter(&self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let asked = |named: &BTreeSet<ClaimName>| {
            let names = named.iter().map(|claim| claim.name().to_owned());
            names.map(|name| (name, Json::Null)).collect::<Vec<_>>()
        };
        let list = |values: &[String]| Json::List(values.iter().cloned().map(Json::Text).collect());
        let mut id_token = asked(&self.named.id_token);
        if let Some(subjects) = &self.subjects {
            let values = ("values".to_owned(), list(subjects));
            id_token.push(("sub".to_owned(), Json::Object(vec![values])));
        }
        if !self.acr_wished.is_empty() {
            let acr = vec![
                ("essential".to_owned(), Json::Bool(self.acr.is_some())),
                ("values".to_owned(), list(&self.acr_wished)),
            ];
            id_token.push(("acr".to_owned(), Json::Object(acr)));
        }
        let members = vec![
            (
                "userinfo".to_owned(),
                Json::Object(asked(&self.named.userinfo)),
            ),
            ("id_token".to_owned(), Json::Object(id_token)),
        ];
        serde_json::to_string(&Json::Object(members)).ok()
    }
}

/// How one claim is asked for.
#[derive(Clone, Debug, Default)]
struct Wish {
    essential: bool,
    /// The texts of `value` and `values`.
    values: Option<Vec<String>>,
}

type Wishes = Vec<(String, Wish)>;

/// The claims that are asked for in one place.
fn member(claims: &Json, place: &str) -> Result<Wishes, Unreadable> {
    let members = match claims.get(place) {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Object(members)) => members,
        Some(_) => return Err(Unreadable),
    };
    let wishes = members
        .iter()
        .map(|(name, how)| Ok((name.clone(), wish(name, how)?)));
    wishes.collect()
}

fn wish(name: &str, how: &Json) -> Result<Wish, Unreadable> {
    match how {
        // [OIDC Core §5.5.1] "Indicates that this Claim is being requested in the default manner."
        Json::Null => return Ok(Wish::default()),
        Json::Object(_) => {}
        _ => return Err(Unreadable),
    }
    let essential = match how.get("essential") {
        None => false,
        Some(Json::Bool(essential)) => *essential,
        Some(_) => return Err(Unreadable),
    };
    let (value, values) = (how.get("value"), how.get("values"));
    let values = match (value, values) {
        (None, None) => {
            return Ok(Wish {
                essential,
                values: None,
            });
        }
        (Some(value), None) => vec![value],
        (None, Some(Json::List(values))) if !values.is_empty() => values.iter().collect(),
        // Both at once would mean two things.
        _ => return Err(Unreadable),
    };
    let is_text = matches!(name, "acr" | "sub");
    let texts = values.iter().filter_map(|value| value.text());
    let texts: Vec<String> = texts.map(str::to_owned).collect();
    let fits = texts.len() == values.len()
        && (1..=VALUES_MAX).contains(&texts.len())
        && texts.iter().all(|text| {
            (1..=VALUE_BYTES_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
    match (is_text, fits) {
        (true, false) => Err(Unreadable),
        (true, true) => Ok(Wish {
            essential,
            values: Some(texts),
        }),
        (false, _) => Ok(Wish {
            essential,
            values: None,
        }),
    }
}

fn find<'w>(wishes: &'w Wishes, name: &str) -> Option<&'w Wish> {
    let mut named = wishes.iter().filter(|(own, _)| own == name);
    named.next().map(|(_, wish)| wish)
}

/// The claims that there are; others are ignored.
fn known(wishes: &Wishes) -> BTreeSet<ClaimName> {
    let claims = ClaimName::ALL.into_iter();
    claims
        .filter(|claim| find(wishes, claim.name()).is_some())
        .collect()
}

/// Whom both places agree on.
fn subjects(places: [&Wishes; 2]) -> Result<Option<Vec<String>>, Unreadable> {
    let mut all: Option<Vec<String>> = None;
    for place in places {
        let Some(wanted) = find(place, "sub").and_then(|wish| wish.values.clone()) else {
            continue;
        };
        all = Some(match all {
            None => wanted,
            Some(before) => before
                .into_iter()
                .filter(|one| wanted.contains(one))
                .collect(),
        });
    }
    match &all {
        Some(nobody) if nobody.is_empty() => Err(Unreadable),
        _ => Ok(all),
    }
}

const BYTES_MAX: usize = 4 * 1024;
/// `{"id_token":{"acr":{"values":[…]}}}`, and room for a value with a structure of its own.
const DEPTH_MAX: usize = 6;
const VALUES_MAX: usize = 10;
const VALUE_BYTES_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::scope::ScopeName;
    use crate::testing::Odd;

    fn read(text: &str) -> Result<ClaimsRequest, Unreadable> {
        ClaimsRequest::read(text, &Scope::understood("openid profile email"))
    }

    /// [OIDC Core §5.5] "Other members MAY be present. Any members used that are not understood MUST be ignored."
    /// [OIDC Core §5.5.1] "Indicates that this Claim is being requested in the default manner."
    #[test]
    fn claims_are_named_one_by_one() {
        let asked = read(
            r#"{"userinfo":{"email":null,"given_name":{"essential":true},"name#fr":null,
                "http://example.ch/shoe":{"value":{"a":[42]}},"phone_number":null},
                "id_token":{"auth_time":{"essential":true},"name":{"value":"Anna Rey"},
                "acr":{"values":["https://refeds.org/profile/mfa"]}},"verified_claims":[]}"#,
        )
        .unwrap();
        let email = [ClaimName::Email, ClaimName::GivenName];
        assert_eq!(asked.named.userinfo, email.into());
        assert_eq!(asked.named.id_token, [ClaimName::Name].into());
        assert_eq!(asked.acr_wished, ["https://refeds.org/profile/mfa"]);
        assert_eq!((&asked.subjects, &asked.acr), (&None, &None));
        for nothing in ["{}", r#"{"userinfo":null}"#, r#"{"id_token":{}}"#] {
            let asked = read(nothing).unwrap();
            assert!(asked.is_empty() && asked.parameter().is_none(), "{nothing}");
            assert!(asked.is_about("anybody"));
        }
    }

    /// [OIDC Core §3.1.2.2] "The Authorization Server MUST NOT reply with an ID Token or Access Token for a different user, even if they have an active session with the Authorization Server."
    #[test]
    fn a_subject_and_an_assurance_can_be_demanded() {
        let asked = read(
            r#"{"id_token":{"sub":{"values":["p-1","p-42"]},"acr":{"essential":true,"value":"a"}},
                "userinfo":{"sub":{"value":"p-42"}}}"#,
        )
        .unwrap();
        assert!(asked.is_about("p-42") && !asked.is_about("p-1"));
        assert_eq!(asked.acr, Some(vec!["a".to_owned()]));
        let without = read(r#"{"id_token":{"acr":{"essential":true},"sub":null}}"#).unwrap();
        assert_eq!((without.acr, without.subjects), (None, None));
    }

    #[test]
    fn the_parameter_is_written_as_it_was_understood() {
        for text in [
            r#"{"userinfo":{"email":null},"id_token":{"name":null}}"#,
            r#"{"id_token":{"sub":{"value":"p-1"},"acr":{"essential":true,"values":["a","b"]}}}"#,
            r#"{"id_token":{"acr":{"values":["a"]}}}"#,
        ] {
            let asked = read(text).unwrap();
            let again = read(&asked.parameter().unwrap()).unwrap();
            assert_eq!(again, asked, "{text}");
        }
    }

    /// [P07] No letters make the reader panic, and what it understands it writes as it understood it.
    #[test]
    fn odd_letters_do_no_harm() {
        let good = r#"{"userinfo":{"email":null,"name":{"essential":true}},
            "id_token":{"sub":{"value":"p-1"},"acr":{"essential":true,"values":["a","b"]}}}"#;
        let mut odd = Odd(55);
        let mut understood = 0;
        for _ in 0..20_000 {
            let Ok(asked) = read(&odd.mutated(good)) else {
                continue;
            };
            understood += 1;
            assert!(
                asked
                    .named
                    .scope()
                    .iter()
                    .all(|scope| scope != ScopeName::Phone)
            );
            if let Some(text) = asked.parameter() {
                assert_eq!(read(&text), Ok(asked));
            }
        }
        assert!(understood > 100, "{understood}");
    }

    /// [C13] [P07] Whatever is not as the standard says is refused as a whole, and bounds come first.
    #[test]
    fn what_is_not_understood_as_a_whole_is_refused() {
        let long = format!(
            r#"{{"id_token":{{"sub":{{"value":"{}"}}}}}}"#,
            "x".repeat(256)
        );
        let many: Vec<String> = (0..11).map(|n| format!("\"{n}\"")).collect();
        let many = format!(
            r#"{{"id_token":{{"acr":{{"values":[{}]}}}}}}"#,
            many.join(",")
        );
        let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(4096));
        let deep = format!("{}0{}", r#"{"x":"#.repeat(7), "}".repeat(7));
        for bad in [
            "",
            "[]",
            "null",
            "email",
            r#"{"userinfo":[]}"#,
            r#"{"userinfo":{"email":true}}"#,
            r#"{"userinfo":{"email":{"essential":"yes"}}}"#,
            r#"{"userinfo":{"email":null,"email":null}}"#,
            r#"{"userinfo":{},"userinfo":{"email":null}}"#,
            r#"{"id_token":{"acr":{"value":"a","value":"b"}}}"#,
            r#"{"id_token":{"acr":{"value":"a","values":["b"]}}}"#,
            r#"{"id_token":{"acr":{"values":"a"}}}"#,
            r#"{"id_token":{"acr":{"values":[]}}}"#,
            r#"{"id_token":{"acr":{"values":[1]}}}"#,
            r#"{"id_token":{"sub":{"value":""}}}"#,
            r#"{"id_token":{"sub":{"value":"a b"}}}"#,
            r#"{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}"#,
            &long,
            &many,
            &large,
            &deep,
        ] {
            assert_eq!(read(bad), Err(Unreadable), "{bad}");
        }
    }
}
