//! The columns of a register's file: what they are called in three languages, and what may stand in
//! them.

use journey::{Language, Method, NameKey, Phone, PhoneError, Role};
use server::password::Imported;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longest value of any column, in characters.
const VALUE_MAX: usize = 200;
/// Longest user name, in characters.
const NAME_MAX: usize = 64;
/// Most aliases somebody has.
const ALIASES_MAX: usize = 8;

/// A column that means something here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Column {
    Aliases,
    FirstName,
    Language,
    LastName,
    Mail,
    Method,
    PasswordHash,
    Phone,
    Role,
    School,
    TokenSerial,
    Username,
}

/// Every column: its name, and what else it is called once accents, case and everything but letters
/// are gone.
pub(crate) const COLUMNS: [(Column, &str, &[&str]); 12] = [
    (
        Column::Username,
        "username",
        &[
            "user",
            "login",
            "benutzername",
            "benutzer",
            "nomdutilisateur",
            "utilisateur",
            "identifiant",
        ],
    ),
    (
        Column::FirstName,
        "first_name",
        &["givenname", "vorname", "prenom"],
    ),
    (
        Column::LastName,
        "last_name",
        &[
            "surname",
            "familyname",
            "name",
            "nachname",
            "familienname",
            "nom",
            "nomdefamille",
        ],
    ),
    (
        Column::Mail,
        "mail",
        &[
            "email",
            "mailaddress",
            "emailaddress",
            "mailadresse",
            "emailadresse",
            "courriel",
            "adressemail",
        ],
    ),
    (
        Column::Role,
        "role",
        &["rolle", "funktion", "fonction", "type", "typ"],
    ),
    (Column::Language, "language", &["lang", "sprache", "langue"]),
    (
        Column::School,
        "school",
        &["schule", "ecole", "etablissement"],
    ),
    (
        Column::Aliases,
        "aliases",
        &[
            "alias",
            "formername",
            "weiterenamen",
            "altername",
            "autresnoms",
            "anciennom",
        ],
    ),
    (
        Column::Phone,
        "phone",
        &[
            "mobile",
            "phonenumber",
            "mobilenumber",
            "telefon",
            "handy",
            "natel",
            "telephone",
            "portable",
        ],
    ),
    (Column::Method, "method", &["methode", "verfahren"]),
    (
        Column::TokenSerial,
        "token_serial",
        &[
            "serial",
            "serialnumber",
            "seriennummer",
            "numerodeserie",
            "token",
        ],
    ),
    (
        Column::PasswordHash,
        "password_hash",
        &["hash", "passworthash", "hashdumotdepasse"],
    ),
];

/// Columns without which nobody can be imported.
pub(crate) const REQUIRED: [Column; 5] = [
    Column::Username,
    Column::FirstName,
    Column::LastName,
    Column::Mail,
    Column::Role,
];

impl Column {
    /// Finds a column by what stands above it.
    pub(crate) fn of(heading: &str) -> Option<Self> {
        let folded = fold(heading);
        let found = COLUMNS
            .iter()
            .find(|(_, name, others)| fold(name) == folded || others.contains(&folded.as_str()));
        found.map(|(column, _, _)| *column)
    }

    /// Its name in messages and in files of ours.
    pub(crate) fn name(self) -> &'static str {
        let found = COLUMNS.iter().find(|(column, _, _)| *column == self);
        found.map_or("", |(_, name, _)| name)
    }
}

/// Letters and digits without accents, in lower case.
fn fold(text: &str) -> String {
    let plain = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && c.is_alphanumeric());
    plain.flat_map(char::to_lowercase).collect()
}

/// Why a value is not taken: reason and cure.
pub(crate) type Refused = (String, &'static str);

/// A name that is shown: first name, last name, school.
pub(crate) fn shown(value: &str) -> Result<String, Refused> {
    if value.is_empty() {
        return Err(("it is empty".to_owned(), "fill it in"));
    }
    if value.chars().count() > VALUE_MAX {
        return Err((
            format!("it is longer than {VALUE_MAX} characters"),
            "shorten it",
        ));
    }
    if value.contains(char::is_control) {
        let cure = "look for a quotation mark that is not closed";
        return Err((
            "it goes over several lines, or has control characters".to_owned(),
            cure,
        ));
    }
    Ok(value.nfc().collect())
}

/// A name somebody signs in with.
pub(crate) fn username(value: &str) -> Result<String, Refused> {
    let name = shown(value)?;
    let length = name.chars().count();
    if length > NAME_MAX || name.contains(char::is_whitespace) || NameKey::of(&name).is_none() {
        let reason = format!("`{name}` is no user name");
        return Err((
            reason,
            "use at most 64 letters, digits and signs, without spaces",
        ));
    }
    Ok(name)
}

/// Names separated by `|`, `,`, `;` or spaces.
pub(crate) fn aliases(value: &str) -> Result<Vec<String>, Refused> {
    let names = value
        .split(['|', ',', ';', ' '])
        .filter(|name| !name.is_empty());
    let names = names.map(username).collect::<Result<Vec<_>, _>>()?;
    if names.len() > ALIASES_MAX {
        return Err((
            format!("there are more than {ALIASES_MAX} names"),
            "keep those in use",
        ));
    }
    Ok(names)
}

/// An address as mail servers take it: something, an at sign, a host.
pub(crate) fn mail(value: &str) -> Result<String, Refused> {
    let right = value.split_once('@').is_some_and(|(user, host)| {
        let plain = |text: &str| {
            text.chars()
                .all(|c| c.is_ascii_graphic() && !"<>()[],;:\"\\@".contains(c))
        };
        let host_is_whole =
            host.split('.').count() > 1 && host.split('.').all(|part| !part.is_empty());
        !user.is_empty() && user.len() <= 64 && plain(user) && plain(host) && host_is_whole
    });
    if right && value.len() <= 254 {
        Ok(value.to_owned())
    } else {
        Err((
            format!("`{value}` is no mail address"),
            "write it as name@school.example",
        ))
    }
}

/// What somebody is at school, in three languages.
pub(crate) fn role(value: &str) -> Result<Role, Refused> {
    match fold(value).as_str() {
        "pupil" | "student" | "eleve" | "schuler" | "schulerin" | "lernende" | "lernender"
        | "apprenti" => Ok(Role::Pupil),
        "teacher" | "enseignant" | "enseignante" | "lehrer" | "lehrerin" | "lehrperson"
        | "lehrkraft" => Ok(Role::Teacher),
        "staff" | "personnel" | "administration" | "verwaltung" | "mitarbeiter"
        | "mitarbeiterin" => Ok(Role::Staff),
        "admin" | "administrator" | "administrateur" | "administratrice" => Ok(Role::Admin),
        _ => Err((
            format!("`{value}` is no role"),
            "write pupil, teacher, staff or admin",
        )),
    }
}

/// A language by its code or its name in three languages.
pub(crate) fn language(value: &str) -> Result<Language, Refused> {
    let named = match fold(value).as_str() {
        "francais" | "french" | "franzosisch" | "f" => Some(Language::Fr),
        "deutsch" | "german" | "allemand" | "d" => Some(Language::De),
        "english" | "englisch" | "anglais" | "e" => Some(Language::En),
        _ => Language::parse(value),
    };
    named.ok_or_else(|| {
        (
            format!("`{value}` is no language of ours"),
            "write fr, de or en",
        )
    })
}

/// A way of strong authentication.
pub(crate) fn method(value: &str) -> Result<Method, Refused> {
    match fold(value).as_str() {
        "sms" => Ok(Method::Sms),
        "app" | "application" | "totp" => Ok(Method::App),
        "token" | "hardwaretoken" | "jeton" => Ok(Method::Token),
        _ => Err((format!("`{value}` is no method"), "write sms, app or token")),
    }
}

/// A mobile number.
pub(crate) fn phone(value: &str) -> Result<Phone, Refused> {
    Phone::parse(value).map_err(|error| {
        let cure = match error {
            PhoneError::Country => "codes go to Switzerland, Liechtenstein and the neighbours only",
            PhoneError::NotMobile => "give a mobile number, or leave it empty",
            PhoneError::Unreadable => "write it as +41 79 123 45 67",
        };
        (error.to_string(), cure)
    })
}

/// A hash that came from another system; the hash itself is in no message.
pub(crate) fn password_hash(value: &str) -> Result<server::password::Format, Refused> {
    Imported::recognise(value).map_err(|error| {
        // What is known is a list too long for a line, and in the manual.
        let reason = error.to_string();
        let reason = reason.split(';').next().unwrap_or_default().to_owned();
        (reason, "leave it empty: an activation sets a new password")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_in_three_languages() {
        for (heading, column) in [
            ("username", Column::Username),
            ("Nom d\u{2019}utilisateur", Column::Username),
            ("Pr\u{e9}nom", Column::FirstName),
            ("NACHNAME", Column::LastName),
            ("E-Mail", Column::Mail),
            ("R\u{f4}le", Column::Role),
            ("\u{c9}cole", Column::School),
            ("Token-Serial", Column::TokenSerial),
            ("T\u{e9}l\u{e9}phone", Column::Phone),
        ] {
            assert_eq!(Column::of(heading), Some(column), "{heading}");
        }
        assert_eq!(Column::of("Klasse"), None);
    }

    #[test]
    fn no_two_columns_share_a_name() {
        let names = COLUMNS.iter().flat_map(|(_, name, others)| {
            std::iter::once(fold(name)).chain(others.iter().map(|other| fold(other)))
        });
        let mut all: Vec<_> = names.collect();
        all.sort();
        let before = all.len();
        all.dedup();
        assert_eq!(all.len(), before);
    }

    #[test]
    fn a_mail_address_is_one_and_nothing_more() {
        for right in [
            "anna@edu.example",
            "a.b+c@x.y.example",
            "o'hara@edu.example",
        ] {
            assert!(mail(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "anna",
            "anna@",
            "@x.example",
            "anna@host",
            "a b@x.example",
            "a@x..example",
            "Anna <a@x.example>",
            "a@x.example,b@x.example",
            "a@x.example\r\nBcc: b@x.example",
            "\u{e9}@x.example",
        ] {
            assert!(mail(wrong).is_err(), "{wrong}");
        }
    }

    /// [P02] A refused hash is not repeated.
    #[test]
    fn a_hash_is_in_no_message() {
        let (reason, _) = password_hash("{FOO}geheim").unwrap_err();
        assert!(!reason.contains("geheim"), "{reason}");
    }
}
