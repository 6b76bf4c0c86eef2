//! The key file: 32 bytes without which nothing in the database opens.

use std::{
    fs::{self, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use data_encoding::BASE64;
use server::World;
use store::seal::Keys;
use zeroize::Zeroizing;

use crate::failure::{Doing, Failure};

const LEN: usize = 32;
/// Base64 of 32 bytes, and a line or two around it.
const FILE_BYTES_MAX: u64 = 256;

/// Draws a key and writes it to a new file that only its owner reads.
///
/// # Errors
/// When the file exists or cannot be written.
pub(crate) fn draw(path: &Path, world: &dyn World) -> Result<Keys, Failure> {
    let mut master = Zeroizing::new([0; LEN]);
    world.fill(&mut *master);
    let mut text = Zeroizing::new(BASE64.encode(&*master));
    text.push('\n');
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().doing(|| format!("writing the key file `{}`", path.display()))?;
    Ok(Keys::from_master(&master))
}

/// Reads the key.
///
/// # Errors
/// When the file is not there, others than its owner can read it, or it is no key.
pub(crate) fn read(path: &Path) -> Result<Keys, Failure> {
    let name = path.display();
    let doing = || format!("reading the key file `{name}`");
    let mut file = fs::File::open(path).doing(doing)?;
    let found = file.metadata().doing(doing)?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let sentence = format!("the key file `{name}` can be read by others (mode {mode:04o})");
        return Err(Failure::new(sentence).cure(format!("chmod 600 {name}")));
    }
    let mut text = Zeroizing::new(String::new());
    let no_key = || {
        Failure::new(format!(
            "`{name}` is no key file: it must hold 32 bytes in base64"
        ))
        .cure("put back the file that `furka init` wrote, from your copy")
    };
    if found.len() > FILE_BYTES_MAX || file.read_to_string(&mut text).is_err() {
        return Err(no_key());
    }
    let bytes = Zeroizing::new(
        BASE64
            .decode(text.trim().as_bytes())
            .map_err(|_| no_key())?,
    );
    let master: &[u8; LEN] = bytes.as_slice().try_into().map_err(|_| no_key())?;
    // A key of zeros is what a broken generator or a careless template leaves behind.
    if master.iter().all(|byte| *byte == 0) {
        return Err(no_key());
    }
    Ok(Keys::from_master(master))
}

#[cfg(test)]
mod tests {
    use server::RealWorld;
    use tempfile::TempDir;

    use super::*;

    /// [A20] Every installation draws its own key, and nobody else can read it.
    #[test]
    fn two_keys_differ_and_only_their_owner_reads_them() {
        let dir = TempDir::new().unwrap();
        let [one, two] = ["one", "two"].map(|name| dir.path().join(name));
        draw(&one, &RealWorld).unwrap();
        draw(&two, &RealWorld).unwrap();
        assert_ne!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
        assert_eq!(
            fs::metadata(&one).unwrap().permissions().mode() & 0o777,
            0o600
        );
        read(&one).unwrap();
        assert!(
            draw(&one, &RealWorld).is_err(),
            "a key is never overwritten"
        );
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_helps() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("key");
        draw(&path, &RealWorld).unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                read(&path)
                    .unwrap_err()
                    .to_string()
                    .contains("can be read by others")
            );
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let dir = TempDir::new().unwrap();
        for (at, text) in [
            "",
            "secret",
            &"A".repeat(1000),
            &BASE64.encode(&[0; 32]),
            "\u{fffd}",
        ]
        .into_iter()
        .enumerate()
        {
            let path = dir.path().join(at.to_string());
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(
                read(&path)
                    .unwrap_err()
                    .to_string()
                    .contains("is no key file"),
                "{text}"
            );
        }
    }
}
