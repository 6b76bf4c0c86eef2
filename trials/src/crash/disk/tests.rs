//! The disk, proven with programs that know nothing of it: it loses what was not synced, and nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Cut, Disk, Taken};
use crate::crash::dice::Dice;
use crate::crash::scratch::Scratch;

/// Runs a program of the shell on a watched folder with one old file, then cuts the power.
fn after(how: Cut, lies: bool, program: &str) -> (Scratch, Taken) {
    let scratch = Scratch::in_memory().unwrap();
    let folder = scratch.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("old"), "0123456789").unwrap();
    let disk = Disk::watch(&folder, scratch.path(), Duration::ZERO).unwrap();
    if lies {
        disk.lie().unwrap();
    }
    let mut command = Command::new("sh");
    command.args(["-c", program]).current_dir(&folder);
    disk.under(&mut command);
    assert!(command.status().unwrap().success());
    let taken = disk.cut(how, &mut Dice::of(1)).unwrap();
    (scratch, taken)
}

fn read(scratch: &Scratch, name: &str) -> String {
    fs::read_to_string(scratch.path().join("folder").join(name)).unwrap_or_default()
}

fn exists(scratch: &Scratch, name: &str) -> bool {
    Path::new(&scratch.path().join("folder").join(name)).exists()
}

#[test]
fn what_was_not_synced_is_lost() {
    let programs = [
        "printf abc >> old",
        "printf abc > old",
        "dd if=/dev/zero of=old bs=3 count=1 seek=1 conv=notrunc 2>/dev/null",
        "rm old",
        "rm old; printf abc > old",
    ];
    for program in programs {
        let (scratch, taken) = after(Cut::All, false, program);
        assert_eq!(read(&scratch, "old"), "0123456789", "{program}");
        assert!(taken.changes + taken.names > 0, "{program}: {taken:?}");
    }
}

#[test]
fn what_was_synced_stays() {
    let (scratch, _) = after(
        Cut::All,
        false,
        "printf abc >> old; sync old; printf d >> old",
    );
    assert_eq!(read(&scratch, "old"), "0123456789abc");
    let (scratch, taken) = after(Cut::All, false, "rm old; sync $PWD");
    assert!(!exists(&scratch, "old"));
    assert_eq!(taken, Taken::default());
}

#[test]
fn a_new_file_is_there_once_its_folder_was_synced() {
    let (scratch, _) = after(Cut::All, false, "printf abc > new; sync new");
    assert!(!exists(&scratch, "new"));
    let (scratch, _) = after(Cut::All, false, "printf abc > new; sync new; sync $PWD");
    assert_eq!(read(&scratch, "new"), "abc");
}

#[test]
fn a_lying_disk_loses_what_it_said_was_synced() {
    let (scratch, _) = after(Cut::All, true, "printf abc >> old; sync old; sync $PWD");
    assert_eq!(read(&scratch, "old"), "0123456789");
}

#[test]
fn a_write_that_was_not_synced_can_be_torn() {
    let fill = |letter: &str| {
        format!(
            "head -c 65536 /dev/zero | tr '\\0' {letter} | dd of=old bs=65536 iflag=fullblock conv=notrunc \
             2>/dev/null"
        )
    };
    let program = format!("{}; sync old; {}", fill("a"), fill("b"));
    let (scratch, taken) = after(Cut::Some(512), false, &program);
    assert_eq!((taken.changes, taken.torn), (1, 1), "{taken:?}");
    let text = read(&scratch, "old");
    let blocks: Vec<&str> = text
        .as_bytes()
        .chunks(512)
        .map(|block| std::str::from_utf8(block).unwrap())
        .collect();
    assert_eq!(blocks.len(), 128);
    let is_whole = |block: &&str| block.bytes().all(|byte| byte == b'a') || !block.contains('a');
    assert!(blocks.iter().all(is_whole));
    assert!(text.contains('a') && text.contains('b'));
}
