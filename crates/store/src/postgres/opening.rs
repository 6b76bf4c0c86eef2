//! Why a database could not be reached: one sentence with a cure for each reason.

use std::{error::Error, io};

use tokio_postgres::error::SqlState;

use super::{Address, Cause};

/// Why nobody could connect, or not do what a start needs.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
struct Unreachable {
    sentence: String,
    source: Cause,
}

/// Puts the sentence before the cause, if this is a known one.
pub(super) fn explain(address: &Address, cause: Cause) -> Cause {
    let sentence = cause
        .downcast_ref::<tokio_postgres::Error>()
        .and_then(|error| match error.code() {
            Some(code) => of_code(address, code),
            None => of_connection(address, error),
        });
    match sentence {
        Some(sentence) => Unreachable {
            sentence,
            source: cause,
        }
        .into(),
        None => cause,
    }
}

/// What is behind the sentence, if there is one.
pub(super) fn explained(cause: &Cause) -> &Cause {
    match cause.downcast_ref::<Unreachable>() {
        Some(unreachable) => &unreachable.source,
        None => cause,
    }
}

/// Whether a server cannot prove who it is: that does not pass by itself.
pub(super) fn is_a_stranger(cause: &Cause) -> bool {
    let error = cause.downcast_ref::<tokio_postgres::Error>();
    let source = error.and_then(Error::source);
    let source = source.and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::InvalidData)
}

fn of_code(address: &Address, code: &SqlState) -> Option<String> {
    let (hosts, user, database) = (address.hosts(), address.user(), address.database());
    Some(match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => format!(
            "the server at {hosts} does not let the user `{user}` in: correct user and password in `database`, or let the user in with `pg_hba.conf`"
        ),
        SqlState::INVALID_CATALOG_NAME => format!(
            "there is no database `{database}` at {hosts}: make it with `createdb --owner {user} {database}`, or correct `database`"
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => format!(
            "the user `{user}` may not do what is needed in `{database}`: make it the owner with `alter database \"{database}\" owner to \"{user}\"`"
        ),
        SqlState::TOO_MANY_CONNECTIONS => format!(
            "the server at {hosts} has no connection left: raise its `max_connections`, or lower `pool_size` in `database`"
        ),
        SqlState::CANNOT_CONNECT_NOW => {
            format!("the server at {hosts} is just starting or stopping: try again in a moment")
        }
        SqlState::LOCK_NOT_AVAILABLE => format!(
            "something uses the tables of `{database}` for a long time, such as a backup, so they were not changed: wait until it has ended, and do it again"
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => read_only(address),
        _ => return None,
    })
}

fn of_connection(address: &Address, error: &tokio_postgres::Error) -> Option<String> {
    let (hosts, user) = (address.hosts(), address.user());
    let source = error.source()?;
    if source.to_string() == "password missing" {
        return Some(format!(
            "the server at {hosts} asks the user `{user}` for a password: add `password_file=FILE` to `database`"
        ));
    }
    if error.to_string().contains("TLS") {
        return Some(match source.downcast_ref::<io::Error>() {
            Some(_) => format!(
                "the server at {hosts} could not prove who it is: name the authority that signed its certificate with `sslrootcert=FILE`, and the server as the certificate does"
            ),
            None => format!(
                "the server at {hosts} speaks no TLS: switch it on there, or, if nobody else is on the way to it, add `sslmode=disable` to `database`"
            ),
        });
    }
    let error = source.downcast_ref::<io::Error>()?;
    Some(match error.kind() {
        io::ErrorKind::PermissionDenied => read_only(address),
        io::ErrorKind::TimedOut => {
            format!(
                "nothing at {hosts} answers in time: correct host and port in `database`, or look for what stands in between"
            )
        }
        io::ErrorKind::ConnectionRefused => {
            format!(
                "nothing listens at {hosts}: start the database, or correct host and port in `database`"
            )
        }
        _ if error.to_string().contains("lookup") => {
            format!("nobody knows the host in {hosts}: correct it in `database`")
        }
        _ => {
            format!("the server at {hosts} cannot be reached: correct host and port in `database`")
        }
    })
}

fn read_only(address: &Address) -> String {
    format!(
        "the server at {} can only be read: name the one that can be written, or all of them, `HOST:PORT,HOST:PORT`",
        address.hosts()
    )
}
