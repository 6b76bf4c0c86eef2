//! Who runs the databases: PostgreSQL refuses to run as root.

use std::{fs, os::unix::fs::MetadataExt, process::Command};

use crate::Trouble;

/// The user that Debian's package makes for PostgreSQL.
const DATABASE_USER: &str = "postgres";

/// The user that programs run as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Account {
    /// Ours, which is not root.
    Ours,
    /// Another, because we are root.
    Other {
        /// Its number.
        user: u32,
        /// The number of its first group.
        group: u32,
    },
}

impl Account {
    /// The one that databases run as.
    ///
    /// # Errors
    /// If we are root and the database's package has made no user.
    pub(crate) fn of_databases() -> Result<Self, Trouble> {
        let ours = fs::metadata("/proc/self").map_err(Trouble::of("asking who we are"))?;
        if ours.uid() != 0 {
            return Ok(Self::Ours);
        }
        let users =
            fs::read_to_string("/etc/passwd").map_err(Trouble::of("reading /etc/passwd"))?;
        find(&users, DATABASE_USER).ok_or_else(|| {
            let cure = "install postgresql-15, whose package makes it";
            Trouble::new(format!("there is no user `{DATABASE_USER}`: {cure}"))
        })
    }

    /// A program, to be started as this user.
    pub(crate) fn command(self, program: &str) -> Command {
        let Self::Other { user, group } = self else {
            return Command::new(program);
        };
        let mut command = Command::new("setpriv");
        let (user, group) = (format!("--reuid={user}"), format!("--regid={group}"));
        command.args([user.as_str(), &group, "--init-groups", program]);
        command
    }
}

/// A user in the text of `/etc/passwd`: `name:password:user:group:…`.
fn find(users: &str, name: &str) -> Option<Account> {
    let mut lines = users.lines().map(|line| line.split(':'));
    let mut fields = lines.find_map(|mut fields| (fields.next()? == name).then_some(fields))?;
    let user = fields.nth(1)?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(Account::Other { user, group })
}

#[cfg(test)]
mod tests {
    use super::{Account, find};

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let users = "root:x:0:0::/root:/bin/sh\npostgres2:x:5:6::/:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/:/bin/sh\n";
        let found = find(users, "postgres");
        assert_eq!(
            found,
            Some(Account::Other {
                user: 101,
                group: 104
            })
        );
        assert_eq!(find(users, "postgre"), None);
    }
}
