//! `furka export DIR`: the resources as files.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use store::ResourceKind;

use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print,
};

/// What `furka export` is told.
#[derive(Args)]
pub(crate) struct Export {
    /// The folder; it is made if it is not there.
    dir: PathBuf,
    /// Overwrites files that are there with other contents.
    #[arg(long)]
    force: bool,
}

impl Export {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        let mut files = Vec::new();
        for kind in ResourceKind::ALL {
            let path = self.dir.join(format!("{}.toml", kind.name()));
            let text = here.resource(kind).await?.text;
            let differs = fs::read(&path).is_ok_and(|found| found != text.as_bytes());
            if differs && !self.force {
                let sentence = format!("`{}` is there with other contents", path.display());
                return Err(Failure::new(sentence)
                    .cure("choose another folder, or overwrite it with `--force`"));
            }
            files.push((path, text));
        }
        let doing = || format!("writing to `{}`", self.dir.display());
        fs::create_dir_all(&self.dir).doing(doing)?;
        for (path, text) in files {
            write(&path, &text).doing(doing)?;
            print::line(path.display());
        }
        let guests = here.store.registrations().await?.len() as u64;
        if guests > 0 {
            let guests = print::count(guests, "application", "applications");
            print::aside(format_args!(
                "{guests} registered themselves: the database keeps them, and no file"
            ));
        }
        Ok(Exit::Done)
    }
}

/// Gateways may hold secrets: as `furka init` does, nobody but owner and group may read the files.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// [P02] The secrets of a gateway do not become everybody's by an export.
    #[test]
    fn what_is_exported_is_readable_by_owner_and_group_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateways.toml");
        write(&path, "[mail]\n").unwrap();
        write(&path, "").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0, "{mode:o}");
    }
}
