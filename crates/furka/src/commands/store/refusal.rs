//! What helps when an image is refused.

use store::image::Refused;

/// What there is to do about it, as an imperative.
pub(crate) fn cure(refused: &Refused) -> &'static str {
    match refused {
        Refused::Changed(_) | Refused::CutOff | Refused::Unreadable(_) => {
            "fetch the file anew from where it is kept, or take another backup"
        }
        Refused::Differs(_) => "run it again; if it stays, look for a broken disk",
        Refused::HalfCopied => {
            "run that command again, which starts afresh, or move the database away"
        }
        Refused::Moved(_) => "stop whatever serves from the old database, then copy again",
        Refused::NewerFormat(_) | Refused::NewerSchema(_) => {
            "install the version of furka that made it, or a newer one"
        }
        Refused::NotEmpty => "move it away, or name one that is empty",
        Refused::NotOne => "name a file that `furka backup` made",
        Refused::OtherKey => {
            "name the key file that was in use when the backup was made, as `key_file` in the \
             configuration"
        }
        Refused::OtherTable(_) => "bring both to the schema of one version of furka",
    }
}
