//! `crash`: the release binary is killed under load, again and again, and nothing that it has
//! acknowledged may be lost, and nothing that was used up may work again.
//!
//! `kill -9` alone proves little, because the system keeps what a process wrote. So half of the crashes
//! are power cuts, on a disk that loses what was not synced (`disk.rs`); that disk is proven first, with
//! a writer that does not sync, and with the product itself on a disk that only says that it does.

mod browser;
mod canton;
mod clock;
mod dice;
mod disk;
mod examiner;
mod promises;
mod proof;
mod provider;
mod run;
mod scratch;
mod tally;
mod visit;
mod visitor;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{Trouble, Wanted, evidence, post::Post};
use clock::Deadline;
pub(crate) use clock::unix_s;
use disk::Cut;
use proof::Proof;
use run::{Manner, Run};
use tally::Tally;

/// How many cycles a lying disk gets at most, before any other.
const LIES_MAX: u64 = 60;
/// One of so many cycles is on a lying disk, at first, and not more than twenty.
const LIES: (u64, u64) = (500, 20);
/// How often a log hears of a run that has no progress bar, in cycles.
const LOGGED: u64 = 500;

/// All that a run found.
struct Found {
    cuts: Tally,
    full: Proof,
    kills: Tally,
    lies: Tally,
    normal: Proof,
}

/// Crashes the binary as often as was asked for. What is lost or comes back ends the run with an error.
pub(crate) async fn crash(wanted: &Wanted) -> Result<bool, Trouble> {
    let post = Post::open().await?;
    let plan = wanted.clone();
    // Threads that wait: the moment of a crash is theirs to choose.
    let found = spawn_blocking(move || Found::of(&plan, &post)).await??;
    println!(
        "crash: {}; {}",
        found.sentence(),
        evidence::setting(wanted.seed)
    );
    let command = format!(
        "cargo xtask crash --cycles {} --power-cuts {}",
        wanted.cycles, wanted.power_cuts
    );
    evidence::keep(
        &wanted.json,
        (&command, wanted.seed),
        true,
        found.evidence(),
    )?;
    Ok(true)
}

impl Found {
    fn of(wanted: &Wanted, post: &Post) -> Result<Self, Trouble> {
        let (one_of, most) = LIES;
        let least = (wanted.cycles / one_of).clamp(1, most);
        let cuts = least.min(5);
        let normal = proof::of("normal", Cut::All, (cuts, 20))?;
        let full = proof::of("full", Cut::All, (cuts, 20))?;
        if normal.lost == 0 || full.lost > 0 {
            return Err(Trouble::from(format!(
                "the disk proves nothing: without syncing {normal:?}, with it {full:?}"
            )));
        }
        let mut run = Run::prepare(wanted.furka.clone(), wanted.seed, post)?;
        let missed = |tally: &Tally| tally.lost() > 0 && tally.resurrected() > 0;
        let lies = run.cycles(Manner::LyingDisk, LIES_MAX, &|tally| {
            tally.cycles < least || !missed(tally)
        })?;
        if !missed(&lies) {
            return Err(Trouble::from(format!(
                "a disk lied {LIES_MAX} times and not enough was missed, so nothing is proven: {:#}",
                lies.evidence()
            )));
        }
        let longest = (!wanted.lasting.is_zero()).then_some(wanted.lasting);
        let bar = bar(wanted.cycles + wanted.power_cuts);
        let crash = |run: &mut Run, manner, most| {
            let end = longest.map(Deadline::after);
            run.cycles(manner, most, &|_| {
                bar.inc(1);
                if bar.is_hidden() && bar.position().is_multiple_of(LOGGED) {
                    let (position, seed) = (bar.position(), wanted.seed);
                    eprintln!("{position} crashes with seed {seed}, nothing lost");
                }
                !end.is_some_and(Deadline::is_over)
            })
        };
        let kills = crash(&mut run, Manner::Kill, wanted.cycles)?;
        let cuts = crash(&mut run, Manner::PowerCut, wanted.power_cuts)?;
        bar.finish_and_clear();
        Ok(Self {
            cuts,
            full,
            kills,
            lies,
            normal,
        })
    }

    /// What happened, in one line.
    fn sentence(&self) -> String {
        let Self {
            cuts, kills, lies, ..
        } = self;
        format!(
            "{} times kill -9, {} power cuts ({}): {} acknowledged, {} lost, {} resurrected; on a lying disk, \
             as it must be, {} lost and {} resurrected",
            kills.cycles,
            cuts.cycles,
            cuts.cuts(),
            kills.acknowledged() + cuts.acknowledged(),
            kills.lost() + cuts.lost(),
            kills.resurrected() + cuts.resurrected(),
            lies.lost(),
            lies.resurrected(),
        )
    }

    fn evidence(&self) -> Value {
        let proof = |proof: &Proof| {
            json!({
                "acknowledged": proof.acknowledged,
                "cuts": proof.cuts,
                "lost": proof.lost,
            })
        };
        json!({
            "kill_9": self.kills.evidence(),
            "power_cuts": self.cuts.evidence(),
            "control": {
                "a_lying_disk_under_furka": self.lies.evidence(),
                "a_writer_with_synchronous_full": proof(&self.full),
                "a_writer_with_synchronous_normal": proof(&self.normal),
            },
        })
    }
}

/// How far a run is; a log shows nothing of it.
fn bar(cycles: u64) -> ProgressBar {
    let bar = ProgressBar::new(cycles);
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} crashes, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
