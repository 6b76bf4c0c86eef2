//! A folder for what one test writes.

use std::{
    env, fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio, id},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Trouble, account::Account};

/// Waits until nobody holds the other end of its input, then until no program uses the folder.
const KEEPER: &str = r#"read -r _; flock --exclusive "$1/in-use" rm -rf "$1""#;

/// A folder that goes away with the value, and with this process, once its programs have ended.
#[derive(Debug)]
pub(crate) struct Folder {
    keeper: Child,
    path: PathBuf,
}

impl Folder {
    /// Makes an empty one that the account owns.
    ///
    /// # Errors
    /// If the folder of temporary files refuses it.
    pub(crate) fn make(owner: Account) -> Result<Self, Trouble> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("cluster-{}-{number}", id()));
        // A process of the same number may have been here before, if the machine was switched off.
        let _nothing_to_remove = fs::remove_dir_all(&path);
        let doing = || format!("making `{}`", path.display());
        fs::create_dir(&path).map_err(Trouble::of(doing()))?;
        fs::write(path.join("in-use"), "").map_err(Trouble::of(doing()))?;
        if let Account::Other { user, group } = owner {
            chown(&path, Some(user), Some(group)).map_err(Trouble::of(doing()))?;
        }
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&path)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .map_err(Trouble::of("starting the keeper of a folder"))?;
        Ok(Self { keeper, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _gone = self.keeper.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::Folder;
    use crate::account::Account;

    #[test]
    fn a_folder_goes_away_with_its_value() {
        let folder = Folder::make(Account::Ours).unwrap();
        let path = folder.path().to_owned();
        std::fs::write(path.join("file"), "text").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
