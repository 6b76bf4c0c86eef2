//! A folder that goes away with its value, unless somebody wants to look into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Trouble;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// Such a folder.
#[derive(Debug)]
pub(super) struct Scratch {
    kept: bool,
    path: PathBuf,
}

impl Scratch {
    /// In a folder that exists.
    pub(super) fn inside(place: &Path) -> Result<Self, Trouble> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("furka-crash-{}-{number}", std::process::id()));
        fs::create_dir(&path).map_err(|error| {
            Trouble::from(format!("making the folder `{}`: {error}", path.display()))
        })?;
        Ok(Self { kept: false, path })
    }

    /// In memory.
    pub(super) fn in_memory() -> Result<Self, Trouble> {
        Self::inside(Path::new(MEMORY))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It stays, for somebody to look into.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is in a folder for such things.
            let _left = fs::remove_dir_all(&self.path);
        }
    }
}
