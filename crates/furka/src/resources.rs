//! Zones, policy, applications and gateways as documents: whether they can be used, and how two
//! versions differ, item by item.

use std::collections::BTreeMap;

use journey::{Facts, Policy, Verdict, Zones};
use peers::Gateways;
use server::catalogue::{UnknownSecret, by_id, read_secrets, registered};
use store::ResourceKind;
use toml::{Table, Value};
use wire::{
    oauth::client::{Applications, Assurance as Minimum, Client},
    saml::Application,
};

/// Longest document, in bytes.
pub(crate) const BYTES_MAX: usize = 1024 * 1024;
/// Longest value shown in a plan, in characters.
const SHOWN_MAX: usize = 60;
/// How many days before a review's day it is mentioned.
const REVIEW_DAYS: i64 = 30;

/// All four documents, each right by itself.
pub(crate) struct Checked {
    pub(crate) applications: BTreeMap<String, Client>,
    /// What applications that speak SAML, CAS or nothing demand: which, and the least that must be proven.
    others: Vec<(String, Minimum)>,
    /// The SAML applications whose metadata says until when it counts, in unix seconds.
    ends: Vec<(String, i64)>,
    pub(crate) gateways: Gateways,
    pub(crate) policy: Policy,
    pub(crate) zones: Zones,
}

/// Reads all documents; what is missing is empty.
///
/// # Errors
/// Everything that is wrong, a sentence each.
pub(crate) fn check(texts: &[(ResourceKind, String)]) -> Result<Checked, Vec<String>> {
    let mut wrong = Vec::new();
    let text = |kind| {
        let found = texts.iter().find(|(other, _)| *other == kind);
        found.map(|(_, text)| text.as_str()).unwrap_or_default()
    };
    for (kind, text) in texts {
        if text.len() > BYTES_MAX {
            wrong.push(format!("{}.toml is longer than 1 MiB", kind.name()));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut note = |kind: ResourceKind, error: &dyn std::error::Error| {
        wrong.push(format!("{}.toml: {}", kind.name(), chain(error)));
    };
    let zones = Zones::parse(text(ResourceKind::Zones));
    let zones = zones.map_err(|error| note(ResourceKind::Zones, &error));
    let policy = Policy::parse(text(ResourceKind::Policy));
    let policy = policy.map_err(|error| note(ResourceKind::Policy, &error));
    let registered = registered(text(ResourceKind::Applications));
    let registered = registered.map_err(|error| note(ResourceKind::Applications, &error));
    let gateways = Gateways::parse(text(ResourceKind::Gateways));
    let gateways = gateways.map_err(|error| note(ResourceKind::Gateways, &error));
    match (zones, policy, registered, gateways) {
        (Ok(zones), Ok(policy), Ok(registered), Ok(gateways)) => Ok(Checked {
            others: others(&registered),
            ends: ends(&registered),
            applications: by_id(registered.application),
            gateways,
            policy,
            zones,
        }),
        _ => Err(wrong),
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string().trim().to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        let sentence = error.to_string();
        if !text.contains(sentence.trim()) {
            text.push_str(": ");
            text.push_str(sentence.trim());
        }
        cause = error.source();
    }
    text
}

impl Checked {
    /// The applications whose secret is kept outside of the documents and cannot be used on this machine: which, and
    /// why.
    pub(crate) fn unknown_secrets(&self) -> Vec<(String, UnknownSecret)> {
        let mut applications: Vec<Client> = self.applications.values().cloned().collect();
        read_secrets(&mut applications)
    }

    /// What can be used and is seldom meant, looked at together.
    pub(crate) fn doubts(&self, today: jiff::civil::Date) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.zones.iter().next().is_none() {
            doubts.push("there are no zones: everybody is outside, everywhere".to_owned());
        }
        for zone in self.zones.iter() {
            let days = today
                .until(zone.review_by)
                .map_or(0, |span| i64::from(span.get_days()));
            let (id, owner, day) = (&zone.id, &zone.owner, zone.review_by);
            if days < 0 {
                doubts.push(format!(
                    "zone `{id}` was to be looked at by {day}; ask {owner}"
                ));
            } else if days <= REVIEW_DAYS {
                doubts.push(format!(
                    "zone `{id}` is to be looked at by {day}; ask {owner}"
                ));
            }
        }
        for (id, until) in &self.ends {
            doubts.extend(ending(id, *until, today));
        }
        if self.applications.is_empty() && self.others.is_empty() {
            doubts.push("there are no applications: nobody can sign in to anything".to_owned());
        }
        let clients = self.applications.values();
        let clients =
            clients.map(|client| (format!("application `{}`", client.id), client.minimum));
        for (name, minimum) in clients.chain(self.others.iter().cloned()) {
            if !self.is_reachable(minimum) {
                doubts.push(format!(
                    "{name} asks for more than the policy lets anybody prove: all are refused"
                ));
            }
        }
        if self.gateways.sms.is_empty() {
            doubts.push(
                "there is no SMS gateway: no code by SMS goes out, and no app can be set up"
                    .to_owned(),
            );
        }
        if self.gateways.mail.is_none() {
            doubts.push("there is no mail server: no activation message goes out".to_owned());
        }
        doubts
    }

    /// Whether there is anybody whom the policy leads to this application.
    fn is_reachable(&self, minimum: Minimum) -> bool {
        let demand = assurance(minimum);
        Facts::all()
            .filter(|facts| facts.demand == demand)
            .any(|facts| {
                let (verdict, _) = self.policy.decide(&facts);
                matches!(
                    verdict,
                    Verdict::AskFactor | Verdict::AskSmsThenEnrol | Verdict::LetIn
                )
            })
    }
}

/// What those demand that speak SAML, alone or in a federation, or CAS, and the rules of those behind the gate.
fn others(registered: &Applications) -> Vec<(String, Minimum)> {
    let parties = registered.saml.iter();
    let parties = parties.map(|one| (format!("saml application `{}`", one.id), one.minimum));
    let federations = registered.federation.iter();
    let federations = federations.map(|one| (format!("federation `{}`", one.id), one.minimum));
    let services = registered.cas.iter();
    let services = services.map(|one| (format!("cas application `{}`", one.id), one.minimum));
    let rules = registered.gate.iter().flat_map(|site| {
        let name = move |path: &str| format!("rule `{path}` of gate application `{}`", site.id);
        site.rule
            .iter()
            .map(move |rule| (name(&rule.path), rule.minimum))
    });
    let all = parties.chain(federations).chain(services);
    all.chain(rules).collect()
}

fn ends(registered: &Applications) -> Vec<(String, i64)> {
    let until =
        |one: &Application| Some((one.id.clone(), one.provider(i64::MIN).ok()?.valid_until?));
    registered.saml.iter().filter_map(until).collect()
}

/// What is to be said of metadata that counts until then: at that second nobody can sign in there any more.
fn ending(id: &str, until: i64, today: jiff::civil::Date) -> Option<String> {
    let moment = jiff::Timestamp::from_second(until).ok()?;
    let day = moment.to_zoned(jiff::tz::TimeZone::UTC).date();
    let left = i64::from(today.until(day).ok()?.get_days());
    (left <= REVIEW_DAYS).then(|| {
        format!(
            "the metadata of saml application `{id}` counts until {moment}: take its new one into its registration \
             before"
        )
    })
}

/// The same four words in the two rooms that do not see each other.
fn assurance(minimum: Minimum) -> journey::Assurance {
    match minimum {
        Minimum::Password => journey::Assurance::Password,
        Minimum::Vouched => journey::Assurance::Vouched,
        Minimum::Strong => journey::Assurance::Strong,
        Minimum::PhishingResistant => journey::Assurance::PhishingResistant,
    }
}

/// How one version of a document differs from another: `+ zone school-brig`, and below a `~` what
/// changed in it. Values of gateways are not shown: they may be secrets.
pub(crate) fn plan(kind: ResourceKind, from: &str, to: &str) -> Vec<String> {
    if from == to {
        return Vec::new();
    }
    let (old, new) = (Items::of(from), Items::of(to));
    let mut lines = Vec::new();
    for (name, value) in &new.items {
        match old.items.get(name) {
            None => lines.push(format!("+ {name}")),
            Some(before) if before == value => {}
            Some(before) => {
                lines.push(format!("~ {name}"));
                lines.extend(changes(kind, before, value));
            }
        }
    }
    let gone = old
        .items
        .keys()
        .filter(|name| !new.items.contains_key(*name));
    lines.extend(gone.map(|name| format!("- {name}")));
    if lines.is_empty() {
        let same_order = old.order == new.order;
        let what = if same_order {
            "comments or spacing only"
        } else {
            "the order"
        };
        lines.push(format!("~ {what}"));
    }
    lines
}

/// A document as named things: each `[[zone]]`, each `[[rule]]`, each value outside of lists.
#[derive(Default)]
struct Items {
    items: BTreeMap<String, BTreeMap<String, Value>>,
    order: Vec<String>,
}

impl Items {
    fn of(text: &str) -> Self {
        let mut all = Self::default();
        let table: Table = toml::from_str(text).unwrap_or_default();
        for (key, value) in table {
            match value {
                Value::Array(list) if list.iter().all(Value::is_table) => {
                    for item in list {
                        let name = ["id", "name"].iter().find_map(|id| item.get(id)?.as_str());
                        let name = format!("{key} {}", name.unwrap_or("without a name"));
                        all.add(name, item);
                    }
                }
                value => all.add(key, value),
            }
        }
        all
    }

    fn add(&mut self, name: String, value: Value) {
        let mut leaves = BTreeMap::new();
        flatten("", value, &mut leaves);
        self.order.push(name.clone());
        self.items.insert(name, leaves);
    }
}

fn flatten(path: &str, value: Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() {
                    key
                } else {
                    format!("{path}.{key}")
                };
                flatten(&path, value, leaves);
            }
        }
        value => {
            leaves.insert(path.to_owned(), value);
        }
    }
}

fn changes(
    kind: ResourceKind,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> Vec<String> {
    let shown = |value: Option<&Value>| match value {
        None => "nothing".to_owned(),
        Some(_) if kind == ResourceKind::Gateways => "\u{2026}".to_owned(),
        Some(value) => shorten(&value.to_string()),
    };
    let mut keys: Vec<_> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let changed = keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key));
    let line = |key: &String| {
        let name = if key.is_empty() {
            String::new()
        } else {
            format!("{key}: ")
        };
        format!(
            "    {name}{} \u{2192} {}",
            shown(before.get(key)),
            shown(after.get(key))
        )
    };
    changed.map(line).collect()
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}\u{2026}", text.get(..at).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIG: &str = "\
[[zone]]
id = \"school-brig\"
kind = \"school\"
name = { fr = \"Brigue\", de = \"Brig\", en = \"Brig\" }
networks = [\"198.51.100.0/24\", \"2001:db8:1::/48\"]
owner = \"network team\"
review_by = \"2027-08-01\"
second_factor = \"not-asked\"
enrolment = \"refused\"
";

    #[test]
    fn a_plan_says_what_comes_what_changes_and_what_goes() {
        let sion = BRIG
            .replace("brig", "sion")
            .replace("100.0/24", "101.0/24")
            .replace("db8:1", "db8:2");
        let both = format!("{BRIG}{sion}");
        let plan = |from: &str, to: &str| plan(ResourceKind::Zones, from, to);
        assert_eq!(plan("", BRIG), ["+ zone school-brig"]);
        assert_eq!(plan(&both, BRIG), ["- zone school-sion"]);
        assert_eq!(plan(BRIG, BRIG), [""; 0]);
        assert_eq!(
            plan(BRIG, &format!("# a\n{BRIG}")),
            ["~ comments or spacing only"]
        );
        assert_eq!(plan(&both, &format!("{sion}{BRIG}")), ["~ the order"]);
        let moved = BRIG
            .replace("\"refused\"", "\"allowed\"")
            .replace("de = \"Brig\"", "de = \"Glis\"");
        assert_eq!(
            plan(BRIG, &moved),
            [
                "~ zone school-brig",
                "    enrolment: \"refused\" \u{2192} \"allowed\"",
                "    name.de: \"Brig\" \u{2192} \"Glis\""
            ]
        );
    }

    /// [P02] A plan shows no secret of a gateway.
    #[test]
    fn a_plan_shows_no_value_of_a_gateway() {
        let from = "[mail]\npassword = \"old secret\"\n";
        let lines = plan(ResourceKind::Gateways, from, &from.replace("old", "new"));
        assert_eq!(
            lines,
            ["~ mail", "    password: \u{2026} \u{2192} \u{2026}"]
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let texts = [
            (ResourceKind::Zones, BRIG.replace("/24", "/0")),
            (
                ResourceKind::Policy,
                Policy::preset_text("valais")
                    .unwrap()
                    .replace("let-in", "open"),
            ),
            (ResourceKind::Applications, "[[aplication]]".to_owned()),
            (ResourceKind::Gateways, "sms = 3".to_owned()),
        ];
        let wrong = check(&texts).err().unwrap();
        assert_eq!(wrong.len(), 4, "{wrong:#?}");
        assert!(
            wrong[0].starts_with("zones.toml: zone `school-brig`"),
            "{}",
            wrong[0]
        );
    }

    /// A SAML application is one, what it demands is compared with the policy, and nobody is surprised by the end
    /// of its metadata.
    #[test]
    fn a_saml_application_is_looked_at_like_any_other() {
        let metadata = r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://ism.example/sp" validUntil="2027-08-16T08:00:00Z"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://ism.example/acs" index="1"/></md:SPSSODescriptor></md:EntityDescriptor>"#;
        let application = format!(
            "[[saml]]\nid = \"ism\"\nname = {{ fr = \"ISM\", de = \"ISM\", en = \"ISM\" }}\nsalt = \"{}\"\n\
             minimum = \"phishing-resistant\"\nmetadata = '''{metadata}'''\n",
            "0123456789abcdef".repeat(2)
        );
        let policy = Policy::preset_text("valais").unwrap().to_owned();
        let texts = [
            (ResourceKind::Applications, application),
            (ResourceKind::Policy, policy),
        ];
        let checked = check(&texts).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        let says = |day: &str, words: &str| {
            let doubts = checked.doubts(day.parse().unwrap());
            doubts.iter().any(|doubt| doubt.contains(words))
        };
        assert!(!says("2027-06-01", "no applications"));
        assert!(says("2027-06-01", "saml application `ism` asks for more"));
        assert!(!says("2027-06-01", "counts until"));
        assert!(says("2027-08-01", "counts until 2027-08-16T08:00:00Z"));
        assert!(says("2027-09-01", "counts until"));
    }

    #[test]
    fn a_review_that_is_due_is_mentioned() {
        let mut texts = vec![(ResourceKind::Zones, BRIG.to_owned())];
        texts.push((
            ResourceKind::Policy,
            Policy::preset_text("valais").unwrap().to_owned(),
        ));
        let checked = check(&texts).ok().unwrap();
        let on = |day: &str| checked.doubts(day.parse().unwrap());
        assert!(
            on("2027-08-02")[0].contains("was to be looked at by 2027-08-01; ask network team")
        );
        assert!(on("2027-07-15")[0].contains("is to be looked at by"));
        assert!(!on("2027-01-15")[0].contains("looked at"));
    }
}
