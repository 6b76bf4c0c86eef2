//! The steps of a schema, and which older programs go on running when a later step was made.
//!
//! Of an upgrade without an outage two versions run at once, so a step that only adds something says in
//! its first line which older programs go on: `-- Programs since migration 0001 go on.` The database
//! remembers it, because an older program has never seen the step. A step that says nothing ends them all.

use crate::seal::sha256;

/// What the number in `meta` is called that [`needed`] computes.
pub(crate) const NEEDED: &str = "needed";

/// A step. What was published is never changed, only followed.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// A step that a database has seen: its name and checksum.
pub(crate) type Done = (String, [u8; 32]);

/// Why the steps of a database are not those of this program.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "migration `{0}` of the database differs from the one in this binary: install the version that made the database"
    )]
    Changed(String),
    #[error(
        "the database has migration `{0}`, which this version does not know: install the newer version that made it, or restore an older backup"
    )]
    Newer(String),
}

impl Migration {
    pub(crate) fn checksum(&self) -> [u8; 32] {
        sha256(self.sql.as_bytes())
    }

    /// The last step that a program must know to go on after this one, as its first line says.
    fn since(&self) -> Option<u16> {
        let line = self.sql.lines().next()?;
        let number = line.strip_prefix("-- Programs since migration ")?;
        number.strip_suffix(" go on.")?.parse().ok()
    }

    /// The number with which its name begins; a number may be left out.
    fn number(&self) -> u16 {
        let number = self.name.split('-').next();
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or(u16::MAX)
    }
}

/// How many steps a program must know to run on what all of these make.
pub(crate) fn needed(steps: &[Migration]) -> i64 {
    let place = |last: u16| steps.iter().filter(|step| step.number() <= last).count();
    let each = steps
        .iter()
        .map(|step| step.since().unwrap_or(step.number()));
    let needed = each.map(place).max().unwrap_or_default();
    i64::try_from(needed).unwrap_or(i64::MAX)
}

/// The steps that a database has yet to see.
///
/// `needed` is what the database says of that; if it says nothing, it was made before this was asked,
/// and every step that this program does not know ends it.
///
/// # Errors
/// If it has seen others, or later ones on which this program must not run.
pub(crate) fn unseen<'a>(
    ours: &'a [Migration],
    done: &[Done],
    needed: Option<i64>,
) -> Result<&'a [Migration], Refused> {
    let known = ours.iter().zip(done);
    for (step, (name, checksum)) in known {
        if step.name != name || step.checksum() != *checksum {
            return Err(Refused::Changed(name.clone()));
        }
    }
    let goes_on = needed.is_some_and(|needed| {
        usize::try_from(needed).is_ok_and(|needed| (1..=ours.len()).contains(&needed))
    });
    match done.get(ours.len()) {
        Some((name, _)) if !goes_on => Err(Refused::Newer(name.clone())),
        _ => Ok(ours.get(done.len()..).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Done, Migration, Refused, needed, unseen};

    const ONE: Migration = Migration {
        name: "0001-one",
        sql: "create table one (id bigint);",
    };
    const MORE: Migration = Migration {
        name: "0002-more",
        sql: "-- Programs since migration 0001 go on.\nalter table one add column more text;",
    };
    const LESS: Migration = Migration {
        name: "0003-less",
        sql: "alter table one drop column more;",
    };

    fn seen(steps: &[Migration]) -> Vec<Done> {
        let done = |step: &Migration| (step.name.to_owned(), step.checksum());
        steps.iter().map(done).collect()
    }

    #[test]
    fn what_only_adds_lets_older_programs_go_on_and_what_says_nothing_ends_them() {
        assert_eq!(needed(&[ONE]), 1);
        assert_eq!(needed(&[ONE, MORE]), 1);
        assert_eq!(needed(&[ONE, MORE, LESS]), 3);
        let after = Migration {
            name: "0004-after",
            ..MORE
        };
        assert_eq!(needed(&[ONE, MORE, LESS, after]), 3);
    }

    #[test]
    fn a_number_that_was_left_out_counts_for_nobody() {
        let fourth = Migration {
            name: "0004-fourth",
            sql: "-- Programs since migration 0002 go on.",
        };
        let fifth = Migration {
            name: "0005-fifth",
            sql: "-- Programs since migration 0004 go on.",
        };
        assert_eq!(needed(&[ONE, MORE, fourth, fifth]), 3);
    }

    #[test]
    fn an_older_program_runs_on_a_newer_schema_only_where_it_may() {
        let newer = |name: &str| Some(Refused::Newer(name.to_owned()));
        let two = seen(&[ONE, MORE]);
        assert!(unseen(&[ONE], &two, Some(1)).is_ok_and(<[_]>::is_empty));
        assert_eq!(unseen(&[ONE], &two, Some(2)).err(), newer("0002-more"));
        assert_eq!(unseen(&[ONE], &two, None).err(), newer("0002-more"));
        assert_eq!(unseen(&[ONE], &two, Some(0)).err(), newer("0002-more"));
        assert_eq!(unseen(&[ONE], &two, Some(-1)).err(), newer("0002-more"));
    }

    #[test]
    fn an_older_database_has_yet_to_see_the_rest_and_another_is_refused() {
        let steps = [ONE, MORE];
        let rest = unseen(&steps, &seen(&[ONE]), Some(1)).unwrap();
        assert_eq!(rest.len(), 1);
        let mut other = seen(&steps);
        other[0].1 = [0; 32];
        let changed = Refused::Changed("0001-one".to_owned());
        assert_eq!(unseen(&steps, &other, Some(1)).err(), Some(changed));
    }
}
