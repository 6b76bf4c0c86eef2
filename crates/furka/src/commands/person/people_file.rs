//! A register's file as people: every line is checked, and every wrong one is named.

use std::collections::HashMap;

use journey::{Language, Method, NameKey, PersonId, Secret};
use store::NewPerson;

use super::{
    columns::{self, COLUMNS, Column, REQUIRED, Refused},
    text::{Encoding, decode},
};

/// Longest file read, in bytes: some two hundred thousand people.
pub(crate) const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A line that cannot be taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LineError {
    pub(crate) column: String,
    pub(crate) cure: String,
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// A file that is no register at all: a sentence and what to do.
#[derive(Debug)]
pub(crate) struct NoRegister {
    pub(crate) cure: String,
    pub(crate) sentence: String,
}

/// What a file holds.
#[derive(Debug)]
pub(crate) struct PeopleFile {
    pub(crate) encoding: Encoding,
    /// What is allowed and worth a word.
    pub(crate) notes: Vec<String>,
    /// Each with the line it stands on.
    pub(crate) people: Vec<(u64, NewPerson)>,
    pub(crate) separator: char,
    pub(crate) wrong: Vec<LineError>,
}

/// Reads a file. Ids are drawn for those who turn out to be new.
///
/// # Errors
/// When it has no letters or no columns that mean something; wrong lines are in
/// [`PeopleFile::wrong`].
pub(crate) fn read(
    bytes: &[u8],
    mut id: impl FnMut() -> PersonId,
) -> Result<PeopleFile, NoRegister> {
    let (text, encoding, wrong) = decode(bytes).map_err(|(sentence, cure)| NoRegister {
        cure: cure.to_owned(),
        sentence: sentence.to_owned(),
    })?;
    let separator = separator(&text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let headings = match records.next() {
        Some(Ok(headings)) => Headings::read(&headings)?,
        _ => return Err(no_register("the file is empty")),
    };
    let mut file = PeopleFile {
        encoding,
        notes: headings.notes(),
        people: Vec::new(),
        separator: char::from(separator),
        wrong,
    };
    let unreadable: Vec<u64> = file.wrong.iter().map(|wrong| wrong.line).collect();
    let mut lines = Lines::of(&text);
    let mut fast_hashes = 0_u32;
    for record in records {
        // The text is whole: what is left to fail is memory.
        let Ok(record) = record else { continue };
        let line = lines.line_at(record.position().map_or(0, csv::Position::byte));
        if record.iter().all(str::is_empty) || unreadable.contains(&line) {
            continue;
        }
        let mut row = Row {
            file: &mut file,
            headings: &headings,
            line,
            record: &record,
        };
        if let Some(person) = row.person(id(), &mut fast_hashes) {
            file.people.push((line, person));
        }
    }
    twice(&mut file);
    if fast_hashes > 0 {
        file.notes.push(format!(
            "{fast_hashes} passwords came as fast hashes, which protect little: they are replaced at the \
             first sign-in"
        ));
    }
    file.wrong.sort_by_key(|wrong| wrong.line);
    Ok(file)
}

fn no_register(sentence: &str) -> NoRegister {
    let names = REQUIRED.map(Column::name).join(", ");
    NoRegister {
        cure: format!("the first line names the columns: at least {names}"),
        sentence: sentence.to_owned(),
    }
}

/// The sign that stands most often in the first line.
fn separator(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |sign: u8| first.bytes().filter(|byte| *byte == sign).count();
    [b'\t', b',', b';']
        .into_iter()
        .max_by_key(|sign| count(*sign))
        .unwrap_or(b';')
}

/// Which column stands where.
struct Headings {
    columns: Vec<Option<Column>>,
    unused: Vec<String>,
}

impl Headings {
    fn read(record: &csv::StringRecord) -> Result<Self, NoRegister> {
        let mut all = Self {
            columns: Vec::new(),
            unused: Vec::new(),
        };
        for heading in record {
            let column = Column::of(heading);
            if column.is_none() && !heading.is_empty() {
                all.unused.push(format!("`{heading}`"));
            }
            if let Some(column) = column.filter(|column| all.columns.contains(&Some(*column))) {
                let sentence = format!(
                    "two columns are `{}`: the second is `{heading}`",
                    column.name()
                );
                return Err(no_register(&sentence));
            }
            all.columns.push(column);
        }
        let missing: Vec<_> = REQUIRED
            .iter()
            .filter(|column| !all.columns.contains(&Some(**column)))
            .map(|column| {
                let known = COLUMNS.iter().find(|(other, _, _)| other == column);
                let others = known
                    .map(|(_, _, others)| others.join(", "))
                    .unwrap_or_default();
                format!("`{}` (also: {others})", column.name())
            })
            .collect();
        if missing.is_empty() {
            Ok(all)
        } else {
            Err(no_register(&format!(
                "the first line lacks the column {}",
                missing.join(" and ")
            )))
        }
    }

    fn notes(&self) -> Vec<String> {
        match self.unused.len() {
            0 => Vec::new(),
            1 => vec![format!("the column {} is not used", self.unused.concat())],
            _ => vec![format!(
                "the columns {} are not used",
                self.unused.join(", ")
            )],
        }
    }
}

/// Numbers lines as an editor does, also where records go over several.
struct Lines<'a> {
    at: usize,
    line: u64,
    text: &'a [u8],
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            at: 0,
            line: 1,
            text: text.as_bytes(),
        }
    }

    /// The line on which the record at this byte begins; empty lines before it do not belong to it.
    fn line_at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(found) = self.text.get(self.at) {
            let is_break = matches!(found, b'\n' | b'\r');
            if self.at >= byte && !is_break {
                break;
            }
            self.line += u64::from(*found == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// A line under the headings.
struct Row<'a> {
    file: &'a mut PeopleFile,
    headings: &'a Headings,
    line: u64,
    record: &'a csv::StringRecord,
}

impl Row<'_> {
    /// The person, unless something is wrong; then all of it is noted.
    fn person(&mut self, id: PersonId, fast_hashes: &mut u32) -> Option<NewPerson> {
        let (found, wanted) = (self.record.len(), self.headings.columns.len());
        if found != wanted {
            let reason = format!("it has {found} columns and the first line {wanted}");
            self.note(
                "-",
                reason,
                "look for a separator inside a value, and put that in quotes",
            );
            return None;
        }
        let username = self.required(Column::Username, columns::username);
        let first_name = self.required(Column::FirstName, columns::shown);
        let last_name = self.required(Column::LastName, columns::shown);
        let mail = self.required(Column::Mail, columns::mail);
        let role = self.required(Column::Role, columns::role);
        let language = self.optional(Column::Language, columns::language);
        let school = self.optional(Column::School, columns::shown);
        let aliases = self.optional(Column::Aliases, columns::aliases);
        let phone = self.optional(Column::Phone, columns::phone);
        let method = self.optional(Column::Method, columns::method);
        let token_serial = self.optional(Column::TokenSerial, columns::shown);
        let hash = self.optional(Column::PasswordHash, |value| {
            columns::password_hash(value).map(|format| (format, value.as_bytes().to_vec()))
        });
        let (method, token_serial) = (method?, token_serial?);
        if method.is_some_and(|method| method != Method::Token) && token_serial.is_some() {
            let reason = "there is a token, and another method".to_owned();
            self.note(
                Column::Method.name(),
                reason,
                "write token, or remove the serial number",
            );
            return None;
        }
        let hash = hash?;
        *fast_hashes += u32::from(hash.as_ref().is_some_and(|(format, _)| format.is_fast()));
        Some(NewPerson {
            aliases: aliases?.unwrap_or_default(),
            first_name: first_name?,
            id,
            language: language?.unwrap_or(Language::Fr),
            last_name: last_name?,
            mail: mail?,
            method: method.or(token_serial.as_ref().map(|_| Method::Token)),
            password: hash.map(|(_, hash)| Secret::new(hash)),
            phone: phone?,
            role: role?,
            school: school?,
            token_serial,
            username: username?,
        })
    }

    fn note(&mut self, column: &str, reason: String, cure: &str) {
        let (column, cure) = (column.to_owned(), cure.to_owned());
        self.file.wrong.push(LineError {
            column,
            cure,
            line: self.line,
            reason,
        });
    }

    fn value(&self, column: Column) -> &str {
        let at = self
            .headings
            .columns
            .iter()
            .position(|other| *other == Some(column));
        at.and_then(|at| self.record.get(at)).unwrap_or_default()
    }

    fn required<T>(
        &mut self,
        column: Column,
        read: impl FnOnce(&str) -> Result<T, Refused>,
    ) -> Option<T> {
        match read(self.value(column)) {
            Ok(value) => Some(value),
            Err((reason, cure)) => {
                self.note(column.name(), reason, cure);
                None
            }
        }
    }

    /// None if it is wrong; none inside if it is empty.
    fn optional<T>(
        &mut self,
        column: Column,
        read: impl FnOnce(&str) -> Result<T, Refused>,
    ) -> Option<Option<T>> {
        if self.value(column).is_empty() {
            Some(None)
        } else {
            self.required(column, read).map(Some)
        }
    }
}

/// Notes names and serial numbers that stand twice, at their second place.
fn twice(file: &mut PeopleFile) {
    let mut names: HashMap<NameKey, u64> = HashMap::new();
    let mut serials: HashMap<&str, u64> = HashMap::new();
    let mut wrong = Vec::new();
    let mut note = |line: u64, column: Column, what: &str, before: u64| {
        wrong.push(LineError {
            column: column.name().to_owned(),
            cure: "remove one of the two".to_owned(),
            line,
            reason: format!("`{what}` is on line {before} already"),
        });
    };
    for (line, person) in &file.people {
        let own = std::iter::once((Column::Username, &person.username));
        for (column, name) in own.chain(person.aliases.iter().map(|name| (Column::Aliases, name))) {
            let before = NameKey::of(name).and_then(|key| names.insert(key, *line));
            if let Some(before) = before.filter(|before| before != line) {
                note(*line, column, name, before);
            }
        }
        if let Some(serial) = &person.token_serial
            && let Some(before) = serials.insert(serial, *line)
        {
            note(*line, Column::TokenSerial, serial, before);
        }
    }
    file.wrong.extend(wrong);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::dev::dice::Dice;

    const HEAD: &str = "username;first_name;last_name;mail;role\n";

    fn read_text(text: &str) -> PeopleFile {
        read(text.as_bytes(), || PersonId([1; 16])).unwrap()
    }

    #[test]
    fn people_are_read_whatever_the_columns_are_called() {
        for text in [
            "username,first_name,last_name,mail,role\nanna.rey,Anna,Rey,a@x.example,pupil\n",
            "Benutzername;Vorname;Name;E-Mail;Rolle\nanna.rey;Anna;Rey;a@x.example;Sch\u{fc}lerin\n",
            "R\u{f4}le\tNom d'utilisateur\tPr\u{e9}nom\tNom\tCourriel\n\u{c9}l\u{e8}ve\tanna.rey\tAnna\tRey\ta@x.example",
            "\u{feff}username;first_name;last_name;mail;role\r\n\r\nanna.rey; Anna ;\"Rey\";a@x.example;pupil\r\n",
        ] {
            let file = read_text(text);
            assert_eq!(file.wrong, [], "{text}");
            let (_, person) = &file.people[0];
            assert_eq!(
                (person.username.as_str(), person.first_name.as_str()),
                ("anna.rey", "Anna")
            );
            assert_eq!(person.last_name, "Rey");
        }
    }

    #[test]
    fn every_wrong_value_is_named_with_line_column_reason_and_cure() {
        let file = read_text(&format!(
            "{HEAD}anna;Anna;Rey;a@x.example;pupil\n\nben;;Zen;b-x.example;boss\nc;C;C;c@x.example\n"
        ));
        let said: Vec<_> = file
            .wrong
            .iter()
            .map(|wrong| (wrong.line, wrong.column.as_str()))
            .collect();
        assert_eq!(
            said,
            [(4, "first_name"), (4, "mail"), (4, "role"), (5, "-")]
        );
        assert_eq!(file.wrong[1].reason, "`b-x.example` is no mail address");
        assert_eq!(file.wrong[2].cure, "write pupil, teacher, staff or admin");
        assert_eq!(file.people.len(), 1);
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_is_found_where_it_opens() {
        let file = read_text(&format!(
            "{HEAD}anna;\"Anna;Rey;a@x.example;pupil\nben;Ben;Zen;b@x.example;pupil\n"
        ));
        assert_eq!(
            (file.people.len(), file.wrong.len(), file.wrong[0].line),
            (0, 1, 2)
        );
    }

    #[test]
    fn a_name_that_stands_twice_is_found_in_any_spelling() {
        let text = format!("{HEAD}anna;A;R;a@x.example;pupil\nANNA;A;R;b@x.example;pupil\n");
        let file = read_text(&text);
        assert_eq!(
            (file.wrong[0].line, file.wrong[0].reason.as_str()),
            (3, "`ANNA` is on line 2 already")
        );
    }

    #[test]
    fn what_people_bring_is_taken() {
        let file = read_text(
            "username,first_name,last_name,mail,role,language,aliases,phone,token_serial,password_hash,Klasse\n\
             anna,Anna,Rey,a@x.example,teacher,de,old.anna|rey,079 123 45 67,T-1,{SHA}ZN3uoDVVxUUtOQ/M0CpeqM1FnF8=,3B\n",
        );
        assert_eq!(file.wrong, []);
        let (_, person) = &file.people[0];
        assert_eq!(person.method, Some(Method::Token));
        assert_eq!(person.aliases, ["old.anna", "rey"]);
        assert_eq!(person.language, Language::De);
        assert!(person.phone.is_some() && person.password.is_some());
        assert_eq!(file.notes.len(), 2, "{:?}", file.notes);
    }

    #[test]
    fn a_file_without_the_columns_says_which_are_missing() {
        let refused = read(b"a;b\n1;2\n", || PersonId([1; 16])).unwrap_err();
        assert!(
            refused.sentence.contains("`username` (also: user, login"),
            "{}",
            refused.sentence
        );
        assert!(read(b"", || PersonId([1; 16])).is_err());
        let twice = read(b"username;login\n", || PersonId([1; 16])).unwrap_err();
        assert!(
            twice.sentence.contains("two columns are `username`"),
            "{}",
            twice.sentence
        );
    }

    /// [P07] Whatever comes as a register, it is read, and what is wrong is named by lines it has, with reason and cure.
    #[test]
    fn what_is_near_a_register_is_read_or_named_by_its_lines() {
        let good = format!(
            "\u{feff}{HEAD}anna;Anna;\"R;e\"\"y\";a@x.example;pupil\r\n\nben;B\u{e9}n;Zen;b@x.example;teacher\n"
        );
        let latin: Vec<u8> = good.chars().skip(1).map(|sign| sign as u8).collect();
        let mut read_somehow = 0;
        for round in 0..20_000 {
            let mut dice = Dice::of(round, 7);
            let seed = [good.as_bytes(), &latin][usize::from(round % 2 == 1)];
            let mut bytes = seed.to_vec();
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len() as u64 + 1) as usize;
                match dice.below(4) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, b";\"\n\r\0\xff,\t"[dice.below(8) as usize]),
                    2 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
                    _ => drop(bytes.splice(at..at, seed[at.min(seed.len())..].to_vec())),
                }
            }
            let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
            let Ok(file) = read(&bytes, || PersonId([1; 16])) else {
                continue;
            };
            read_somehow += 1;
            for LineError {
                cure, line, reason, ..
            } in &file.wrong
            {
                assert!(
                    (1..=lines).contains(line),
                    "line {line} of {lines}: {bytes:?}"
                );
                assert!(!cure.is_empty() && !reason.is_empty());
            }
        }
        assert!(read_somehow > 5_000, "{read_somehow}");
    }
}
