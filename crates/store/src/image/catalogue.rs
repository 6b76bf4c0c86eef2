//! What the engines share when they read their catalogues.

use super::{Description, Refused, Table};

/// The table whose being there says that a database is half copied.
pub(crate) const MARK: &str = "half_copied";

/// A table, and those to which it refers.
pub(crate) struct Found {
    pub(crate) refers_to: Vec<String>,
    pub(crate) table: Table,
}

/// Each table behind those to which it refers; otherwise as they were.
pub(crate) fn in_order(mut found: Vec<Found>) -> Result<Vec<Table>, Refused> {
    let mut placed: Vec<Table> = vec![];
    while !found.is_empty() {
        let is_placed = |name: &String| placed.iter().any(|table| table.name == *name);
        let is_next = |found: &Found| {
            let mut others = found.refers_to.iter();
            others.all(|name| *name == found.table.name || is_placed(name))
        };
        let next = found.iter().position(is_next);
        let next = next.ok_or(Refused::Unreadable("tables that refer to each other"))?;
        placed.push(found.remove(next).table);
    }
    Ok(placed)
}

/// Refuses an image whose tables are not those that its migrations make here, however many rows they
/// have.
pub(crate) fn refuse_other_tables(ours: &Description, image: &Description) -> Result<(), Refused> {
    let has = |of: &Description, wanted: &Table| {
        of.tables.iter().any(|table| {
            (&table.name, &table.columns, &table.key)
                == (&wanted.name, &wanted.columns, &wanted.key)
        })
    };
    let missing = (image.tables.iter().find(|table| !has(ours, table)))
        .or_else(|| ours.tables.iter().find(|table| !has(image, table)));
    match missing {
        None => Ok(()),
        Some(table) => Err(Refused::OtherTable(table.name.clone())),
    }
}

/// How many of an engine's migrations made an image; one of others is refused.
pub(crate) fn known<'a>(
    image: &Description,
    migrations: impl IntoIterator<Item = &'a str>,
) -> Result<usize, Refused> {
    let ours = migrations
        .into_iter()
        .map(Some)
        .chain(std::iter::repeat(None));
    let mut both = image.migrations.iter().zip(ours);
    match both.find(|(name, ours)| Some(name.as_str()) != *ours) {
        None => Ok(image.migrations.len()),
        Some((name, _)) => Err(Refused::NewerSchema(name.clone())),
    }
}

/// A name from the catalogue, as it stands in a statement.
pub(crate) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names with commas between.
pub(crate) fn names(list: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<_> = list.into_iter().map(|one| name(one.as_ref())).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, refers_to: &[&str]) -> Found {
        Found {
            refers_to: refers_to.iter().map(ToString::to_string).collect(),
            table: Table {
                columns: vec![],
                key: vec![],
                name: name.into(),
                rows: 0,
            },
        }
    }

    #[test]
    fn a_table_comes_behind_those_it_refers_to() {
        let tables = vec![
            found("a", &["c", "b"]),
            found("b", &["b"]),
            found("c", &["b"]),
            found("d", &[]),
        ];
        let order: Vec<_> = in_order(tables)
            .unwrap()
            .into_iter()
            .map(|one| one.name)
            .collect();
        assert_eq!(order, ["b", "c", "a", "d"]);
        let circle = vec![found("a", &["b"]), found("b", &["a"])];
        assert!(in_order(circle).is_err());
    }

    #[test]
    fn an_image_of_fewer_migrations_is_known_and_one_of_others_is_not() {
        let of = |names: &[&str]| Description {
            migrations: names.iter().map(ToString::to_string).collect(),
            tables: vec![],
        };
        assert_eq!(known(&of(&["1"]), ["1", "2"]), Ok(1));
        assert_eq!(known(&of(&["1", "2"]), ["1", "2"]), Ok(2));
        let newer = |name: &str| Err(Refused::NewerSchema(name.into()));
        assert_eq!(known(&of(&["1", "2", "3"]), ["1", "2"]), newer("3"));
        assert_eq!(known(&of(&["x"]), ["1", "2"]), newer("x"));
    }

    #[test]
    fn a_name_stays_a_name() {
        assert_eq!(names(["a", "b\"; drop"]), "\"a\", \"b\"\"; drop\"");
    }
}
