//! The key file: the keys without which nothing in the database opens.
//!
//! One line of base64 is a file of one key, as `furka init` writes it. A file of several keys has a line
//! for each: its number, its state, since when, and what is held of it. Lines that begin with `#` say
//! something to people.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use data_encoding::BASE64;
use journey::Timestamp;
use server::World;
use store::seal::{Checks, Keys};
use tokio::time::{MissedTickBehavior, interval};
use zeroize::Zeroizing;

use crate::failure::{Doing, Failure};

const LEN: usize = 32;
/// 255 lines and what stands above them.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// How often a server looks whether the file was changed.
const LOOK: Duration = Duration::from_millis(500);
const HEAD: &str = "\
# The keys of this installation, written by `furka keys seal`. All nodes have the same file, and nobody
# else reads it. Keep a copy elsewhere: what is sealed opens with these keys only, and so do backups.
";

type Master = Zeroizing<[u8; LEN]>;

/// What a file holds of a key.
pub(crate) enum Held {
    /// It seals.
    Current(Master),
    /// It sealed before, and opens what it sealed.
    Former(Master),
    /// It opens what other nodes seal with it, and seals nothing here yet.
    Next(Master),
    /// It opens nothing any more; passwords and activation codes that it made are checked with it.
    Checks(Checks),
    /// Nothing: its number is not given again.
    Retired,
}

impl Held {
    /// The word for it, in the file and in tables.
    pub(crate) const fn state(&self) -> &'static str {
        match self {
            Self::Current(_) => "current",
            Self::Former(_) => "former",
            Self::Next(_) => "next",
            Self::Checks(_) => "checks",
            Self::Retired => "retired",
        }
    }

    const fn master(&self) -> Option<&Master> {
        match self {
            Self::Current(master) | Self::Former(master) | Self::Next(master) => Some(master),
            Self::Checks(_) | Self::Retired => None,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Checks(checks) => checks.expose(),
            _ => self.master().map_or(&[], |master| master.as_slice()),
        }
    }

    fn parse(state: &str, bytes: &[u8]) -> Option<Self> {
        let master = || {
            let master = Zeroizing::new(<[u8; LEN]>::try_from(bytes).ok()?);
            // A key of zeros is what a broken generator or a careless template leaves behind.
            master.iter().any(|byte| *byte != 0).then_some(master)
        };
        match state {
            "current" => master().map(Self::Current),
            "former" => master().map(Self::Former),
            "next" => master().map(Self::Next),
            "checks" => Some(Self::Checks(Checks::from_bytes(bytes.try_into().ok()?))),
            "retired" => bytes.is_empty().then_some(Self::Retired),
            _ => None,
        }
    }
}

/// A key in a file.
pub(crate) struct Line {
    pub(crate) held: Held,
    /// Since when it is in its state; none for a key that was always the only one.
    pub(crate) since: Option<Timestamp>,
}

impl Line {
    fn parse(text: &str) -> Option<(u8, Self)> {
        let mut words = text.split_whitespace();
        let number = words.next()?.parse().ok().filter(|number| *number > 0)?;
        let state = words.next()?;
        let since = match words.next()? {
            "-" => None,
            since => Some(Timestamp(
                since.parse::<jiff::Timestamp>().ok()?.as_second(),
            )),
        };
        let bytes = BASE64.decode(words.next().unwrap_or_default().as_bytes());
        let bytes = Zeroizing::new(bytes.ok()?);
        let held = Held::parse(state, &bytes)?;
        words
            .next()
            .is_none()
            .then_some((number, Self { held, since }))
    }

    fn write(&self, number: u8, to: &mut Zeroizing<String>) {
        let since = self
            .since
            .map_or_else(|| "-".to_owned(), |at| at.to_string());
        let bytes = Zeroizing::new(BASE64.encode(self.held.bytes()));
        for word in [&number.to_string(), " ", self.held.state(), " ", &since] {
            to.push_str(word);
        }
        if !bytes.is_empty() {
            to.push(' ');
            to.push_str(&bytes);
        }
        to.push('\n');
    }
}

/// A key file: keys by number, one of which seals.
pub(crate) struct KeyFile {
    current: u8,
    lines: BTreeMap<u8, Line>,
}

impl KeyFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When the file is not there, others than its owner can read it, or it is no key file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let doing = || format!("reading the key file `{name}`");
        let mut file = File::open(path).doing(doing)?;
        let found = file.metadata().doing(doing)?;
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let sentence = format!("the key file `{name}` can be read by others (mode {mode:04o})");
            return Err(Failure::new(sentence).cure(format!("chmod 600 {name}")));
        }
        let no_key = || {
            Failure::new(format!(
                "`{name}` is no key file: it must hold 32 bytes in base64, or what `furka keys seal` wrote"
            ))
            .cure("put back the file that `furka init` wrote, from your copy")
        };
        // As long as it may be: growing would leave parts of it behind.
        let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize));
        if found.len() > FILE_BYTES_MAX || file.read_to_string(&mut text).is_err() {
            return Err(no_key());
        }
        Self::parse(&text).ok_or_else(no_key)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim);
        let lines: Vec<_> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let parsed: Option<Vec<_>> = match lines.as_slice() {
            [line] if !line.contains(' ') => {
                let bytes = Zeroizing::new(BASE64.decode(line.as_bytes()).ok()?);
                let held = Held::parse("current", &bytes)?;
                Some(vec![(1, Line { held, since: None })])
            }
            lines => lines.iter().map(|line| Line::parse(line)).collect(),
        };
        let parsed = parsed?;
        let many = parsed.len();
        let lines: BTreeMap<_, _> = parsed.into_iter().collect();
        let mut current = lines
            .iter()
            .filter(|(_, line)| matches!(line.held, Held::Current(_)))
            .map(|(number, _)| *number);
        match (current.next(), current.next()) {
            (Some(current), None) if lines.len() == many => Some(Self { current, lines }),
            _ => None,
        }
    }

    /// Takes the place of the file, all at once, with its owner.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize));
        text.push_str(HEAD);
        for (number, line) in &self.lines {
            line.write(*number, &mut text);
        }
        let new = beside(path);
        let write = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&new)?;
            let (ours, theirs) = (file.metadata()?, fs::metadata(path)?);
            if (ours.uid(), ours.gid()) != (theirs.uid(), theirs.gid()) {
                fchown(&file, Some(theirs.uid()), Some(theirs.gid()))?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            File::open(folder_of(path))?.sync_all()
        };
        let wrote: std::io::Result<()> = write();
        if wrote.is_err() {
            let _ = fs::remove_file(&new);
        }
        wrote.doing(|| format!("writing the key file `{}`", path.display()))
    }

    /// The keys as the provider uses them.
    pub(crate) fn keys(&self) -> Keys {
        let master = self
            .lines
            .get(&self.current)
            .and_then(|line| line.held.master());
        let Some(master) = master else {
            unreachable!("one of the keys seals")
        };
        let keys = Keys::from_numbered(self.current, master);
        let others = self
            .lines
            .iter()
            .map(|(number, line)| (*number, &line.held));
        others.fold(keys, |keys, (number, held)| match held {
            Held::Checks(checks) => keys.and_checks(number, checks),
            held => match held.master() {
                Some(master) => keys.and_known(number, master),
                None => keys,
            },
        })
    }

    /// All keys by their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u8, &Line)> {
        self.lines.iter().map(|(number, line)| (*number, line))
    }

    /// The key of a number.
    pub(crate) fn line(&self, number: u8) -> Option<&Line> {
        self.lines.get(&number)
    }

    /// A new key; its number. None if there have been 255.
    pub(crate) fn add(&mut self, world: &dyn World) -> Option<u8> {
        let (last, _) = self.lines.last_key_value()?;
        let number = last.checked_add(1)?;
        let mut master = Master::default();
        world.fill(&mut *master);
        self.put(number, Held::Next(master), world.now());
        Some(number)
    }

    /// Takes the keys of another file that are not held here, or not all of them; their numbers.
    pub(crate) fn take_back(&mut self, from: Self, now: Timestamp) -> Vec<u8> {
        let mut taken = Vec::new();
        for (number, line) in from.lines {
            let is_missing = self
                .lines
                .get(&number)
                .is_none_or(|ours| ours.held.master().is_none());
            if let Some(master) = line.held.master().filter(|_| is_missing) {
                self.put(number, Held::Former(master.clone()), now);
                taken.push(number);
            }
        }
        taken
    }

    /// From now on this key seals; false if it is not held.
    pub(crate) fn use_key(&mut self, number: u8, now: Timestamp) -> bool {
        let master = |lines: &BTreeMap<u8, Line>, number| {
            lines
                .get(&number)
                .and_then(|line: &Line| line.held.master().cloned())
        };
        let (before, after) = (
            master(&self.lines, self.current),
            master(&self.lines, number),
        );
        let (Some(before), Some(after)) = (before, after) else {
            return false;
        };
        self.put(self.current, Held::Former(before), now);
        self.put(number, Held::Current(after), now);
        self.current = number;
        true
    }

    /// Keeps of a key what passwords and activation codes are checked with, or nothing.
    pub(crate) fn retire(&mut self, number: u8, keep_checks: bool, now: Timestamp) {
        let left = match self.lines.get(&number).map(|line| &line.held) {
            Some(Held::Former(master) | Held::Next(master)) if keep_checks => {
                Held::Checks(Checks::of(master))
            }
            _ => Held::Retired,
        };
        self.put(number, left, now);
    }

    fn put(&mut self, number: u8, held: Held, now: Timestamp) {
        let since = Some(now);
        self.lines.insert(number, Line { held, since });
    }
}

/// Holds the key file for one command: while it lives, no other command changes the file. It is its folder
/// that is locked: the file itself is replaced.
pub(crate) struct Alone(#[expect(dead_code, reason = "it is let go of when it is closed")] File);

impl Alone {
    /// Holds it from before it is read until after it is written.
    ///
    /// # Errors
    /// When another command holds it, or the folder cannot be opened.
    pub(crate) fn with(path: &Path) -> Result<Self, Failure> {
        let folder = File::open(folder_of(path))
            .doing(|| format!("opening the folder of `{}`", path.display()))?;
        match folder.try_lock() {
            Ok(()) => Ok(Self(folder)),
            Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
                "another command is changing the key file `{}`",
                path.display()
            ))
            .cure("wait until it has ended, and look at `furka keys seal status`")),
            Err(TryLockError::Error(error)) => {
                Err(error).doing(|| format!("locking the folder of `{}`", path.display()))
            }
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let named = folder.filter(|folder| !folder.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Draws a key and writes it to a new file that only its owner reads.
///
/// # Errors
/// When the file exists or cannot be written.
pub(crate) fn draw(path: &Path, world: &dyn World) -> Result<Keys, Failure> {
    let mut master = Master::default();
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

/// Reads the keys.
///
/// # Errors
/// When the file is not there, others than its owner can read it, or it is no key file.
pub(crate) fn read(path: &Path) -> Result<Keys, Failure> {
    KeyFile::read(path).map(|file| file.keys())
}

/// Puts the keys of the file in the place of those in use, whenever it is another file than before. One
/// that cannot be used changes nothing.
pub(crate) async fn follow(path: PathBuf, keys: Arc<Keys>) {
    let mut tick = interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // It may have been changed since it was read.
    let mut seen = None;
    loop {
        tick.tick().await;
        let found = stamp(&path);
        if found == seen {
            continue;
        }
        match read(&path) {
            Ok(newer) => {
                keys.replace(&newer);
                if seen.is_some() {
                    tracing::info!(seals = newer.current(), "a newer key file is in use");
                }
            }
            Err(failure) => tracing::error!(
                why = crate::resources::chain(&failure),
                "the key file cannot be used; the keys of before stay"
            ),
        }
        seen = found;
    }
}

/// What changes whenever a file is written or replaced.
fn stamp(path: &Path) -> Option<(u64, u64, u32, Option<SystemTime>)> {
    let found = fs::metadata(path).ok()?;
    Some((
        found.ino(),
        found.len(),
        found.mode(),
        found.modified().ok(),
    ))
}

#[cfg(test)]
mod tests {
    use server::RealWorld;
    use store::seal::Purpose;
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

    fn first(dir: &TempDir) -> (PathBuf, KeyFile) {
        let path = dir.path().join("key");
        draw(&path, &RealWorld).unwrap();
        let file = KeyFile::read(&path).unwrap();
        (path, file)
    }

    fn states(file: &KeyFile) -> Vec<(u8, &'static str)> {
        let lines = file.lines();
        lines
            .map(|(number, line)| (number, line.held.state()))
            .collect()
    }

    /// What is sealed with the current key of a file, and opens with that of the other.
    fn opens(from: &KeyFile, to: &KeyFile) -> bool {
        let sealed = from.keys().seal(Purpose::Seed, b"", b"x");
        to.keys().open(Purpose::Seed, b"", &sealed).is_ok()
    }

    #[test]
    fn a_key_comes_and_another_goes_and_the_file_says_so() {
        let dir = TempDir::new().unwrap();
        let (path, mut file) = first(&dir);
        let then = KeyFile::read(&path).unwrap();
        assert_eq!(file.add(&RealWorld), Some(2));
        assert!(!file.use_key(3, Timestamp(0)));
        for (number, state) in [(1, "next"), (2, "former")] {
            file.write(&path).unwrap();
            file = KeyFile::read(&path).unwrap();
            assert_eq!(file.keys().current(), number);
            assert!(opens(&then, &file));
            assert_eq!(opens(&file, &then), number == 1);
            let other = states(&file).into_iter().find(|(of, _)| *of != number);
            assert_eq!(other.map(|(_, of)| of), Some(state));
            file.use_key(2, Timestamp(1_900_000_000));
        }
        for (keeps, left) in [(true, "checks"), (false, "retired")] {
            file.retire(1, keeps, Timestamp(1_900_000_000));
            file.write(&path).unwrap();
            file = KeyFile::read(&path).unwrap();
            assert_eq!(states(&file), [(1, left), (2, "current")]);
            assert!(!opens(&then, &file));
            assert_eq!(file.keys().peppers().len(), if keeps { 2 } else { 1 });
        }
        assert_eq!(file.add(&RealWorld), Some(3), "no number comes twice");
        assert_eq!(file.take_back(then, Timestamp(1_900_000_000)), [1]);
        assert_eq!(states(&file), [(1, "former"), (2, "current"), (3, "next")]);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    /// Of two commands at once, one would undo what the other wrote, perhaps the only copy of a key.
    #[test]
    fn one_command_at_a_time_changes_the_file() {
        let dir = TempDir::new().unwrap();
        let (path, _) = first(&dir);
        let alone = Alone::with(&path).unwrap();
        let refused = Alone::with(&path).err().unwrap().to_string();
        assert!(refused.contains("another command"), "{refused}");
        drop(alone);
        assert!(Alone::with(&path).is_ok());
    }

    #[test]
    fn a_file_of_several_keys_that_contradicts_itself_is_refused() {
        let key = BASE64.encode(&[7; 32]);
        let checks = BASE64.encode(&[7; 64]);
        let right = format!("# x\n\n1 checks 2027-08-16T08:00:00Z {checks}\n2 current - {key}\n");
        assert!(KeyFile::parse(&right).is_some());
        for wrong in [
            format!("1 current - {key}\n2 current - {key}"),
            format!("1 former - {key}\n2 next - {key}"),
            format!("1 current - {key}\n1 next - {key}"),
            format!("0 current - {key}"),
            format!("256 current - {key}"),
            format!("1 current yesterday {key}"),
            format!("1 current - {checks}"),
            format!("1 current - {key} {key}"),
            format!("1 current - {}", BASE64.encode(&[0; 32])),
            format!("1 current - {key}\n2 retired - {key}"),
            format!("{key}\n{key}"),
        ] {
            assert!(KeyFile::parse(&wrong).is_none(), "{wrong}");
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
