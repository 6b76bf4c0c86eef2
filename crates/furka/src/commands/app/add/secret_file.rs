//! A new file with the secret of an application, which the provider must know itself.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf, absolute},
};

use wire::{Secret, oauth::client::SharedSecret};

use crate::failure::{Doing, Failure};

/// A file that nobody but its owner reads. It goes again, unless the registration that names it is applied.
pub(super) struct SecretFile {
    is_kept: bool,
    path: PathBuf,
}

impl SecretFile {
    /// Writes one.
    ///
    /// # Errors
    /// If there is something already, or nothing can be written there.
    pub(super) fn new(path: &Path, secret: &Secret) -> Result<Self, Failure> {
        let doing = || format!("writing the secret to `{}`", path.display());
        let path = absolute(path).doing(doing)?;
        if path.to_str().is_none() {
            return Err(Failure::new(format!("`{}` is not UTF-8", path.display()))
                .cure("give `--secret-file` another name"));
        }
        let mut options = OpenOptions::new();
        let created = options.write(true).create_new(true).mode(0o600).open(&path);
        let mut file = created.doing(doing).map_err(|failure| {
            failure.cure("give `--secret-file` a new file in a folder that is there")
        })?;
        let new = Self {
            is_kept: false,
            path,
        };
        let line = [secret.expose(), b"\n"];
        let mut parts = line.into_iter();
        parts
            .try_for_each(|part| file.write_all(part))
            .doing(doing)?;
        file.sync_all().doing(doing)?;
        Ok(new)
    }

    /// Where it is, from the root.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// As a registration names it.
    pub(super) fn named(&self) -> String {
        let path = self.path.to_str().unwrap_or_default();
        SharedSecret::in_file(path).place().to_owned()
    }

    /// It stays.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = fs::remove_file(&self.path)
        {
            eprintln!("note: `{}` is left: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// [P02] Nobody else reads it, nothing is written over, and it goes with the registration that is not applied.
    #[test]
    fn a_secret_is_its_owner_s_and_stays_only_if_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.secret");
        let secret = || Secret::new(b"a secret".to_vec());
        let file = SecretFile::new(&path, &secret()).unwrap();
        assert_eq!(file.named(), format!("{{file:{}}}", path.display()));
        assert_eq!(fs::read(&path).unwrap(), b"a secret\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(SecretFile::new(&path, &secret()).is_err());
        assert!(path.exists(), "what was there stays");
        drop(file);
        assert!(!path.exists());
        SecretFile::new(&path, &secret()).unwrap().keep();
        assert!(path.exists());
        assert!(SecretFile::new(&folder.path().join("no/where"), &secret()).is_err());
    }
}
