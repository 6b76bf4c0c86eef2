//! Cycles: start, load, crash, start again, look whether every promise was kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::browser::Broken;
use super::canton::{self, Template};
use super::clock::{self, Deadline};
use super::dice::Dice;
use super::disk::{Cut, Disk};
use super::examiner::Examiner;
use super::promises::Breach;
use super::provider::{Machine, Provider};
use super::scratch::Scratch;
use super::tally::Tally;
use super::visitor::{Place, Visitor};
use crate::Trouble;
use crate::post::Post;

/// How many use the provider at the same time.
const VISITORS: usize = 4;
/// After so many cycles the people of an installation are used up, and its audit is long.
const CYCLES_OF_AN_INSTALLATION: u64 = 150;
/// The longest time that a sync takes on a disk that can lose: crashes often come in its middle.
const SYNC: Duration = Duration::from_micros(1500);
/// A load ends after so many promises, between these: mostly soon, sometimes late.
const LOADS: [(u64, u64); 3] = [(0, 6), (6, 24), (24, 64)];
/// And then at any moment of so many microseconds.
const MOMENT_US: u64 = 4000;
/// No load lasts longer.
const LOAD_MAX: Duration = Duration::from_secs(2);
/// How often the promises are counted.
const PAUSE: Duration = Duration::from_micros(200);
/// Once in so many times it crashes while it starts, too.
const CRASHES_AT_START: u64 = 8;
/// How long a start goes on that crashes, at most, in microseconds.
const START_US: u64 = 40_000;

/// How it crashes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Manner {
    /// `kill -9`, on the machine's own disk.
    Kill,
    /// The power is cut, on a disk that loses what was not synced.
    PowerCut,
    /// The same on a disk that only says that it syncs: here much must be lost.
    LyingDisk,
}

/// What all cycles need.
#[derive(Debug)]
pub(super) struct Run {
    dice: Dice,
    examiner: Examiner,
    machine: Machine,
    /// Template and log, which go away with the run.
    _memory: Scratch,
    number: u64,
    seed: u64,
    template: Template,
}

/// An installation with its provider and those who use it.
struct Installation {
    age: u64,
    audit: u64,
    home: Scratch,
    place: Arc<Place>,
    provider: Option<Provider>,
    visitors: Vec<Visitor>,
}

impl Run {
    /// Prepares an installation of the binary; throws the dice of `seed`.
    pub(super) fn prepare(furka: PathBuf, seed: u64, post: &Post) -> Result<Self, Trouble> {
        let memory = Scratch::in_memory()?;
        let machine = Machine::of(furka, memory.path())?;
        let template = Template::make(&machine, memory.path(), post)?;
        Ok(Self {
            dice: Dice::of(seed),
            examiner: Examiner::start()?,
            machine,
            _memory: memory,
            number: 0,
            seed,
            template,
        })
    }

    /// So many cycles of one kind; ends before if `goes_on`, asked after each of them, says no.
    ///
    /// On an honest disk the first promise that was not kept ends the run, and its installation stays to
    /// be looked at.
    pub(super) fn cycles(
        &mut self,
        manner: Manner,
        most: u64,
        goes_on: &dyn Fn(&Tally) -> bool,
    ) -> Result<Tally, Trouble> {
        let mut tally = Tally::default();
        let began = clock::now();
        let mut installation: Option<Installation> = None;
        for _ in 0..most {
            // The old one ends before a new one takes its address.
            let old = installation.take();
            let old = old.filter(|here| here.age < CYCLES_OF_AN_INSTALLATION);
            let mut here = match old {
                Some(here) => here,
                None => self.settle(manner)?,
            };
            let ended = self.cycle(&mut here, manner, &mut tally);
            let sound = match ended {
                Err(_) if manner == Manner::LyingDisk => false,
                Err(trouble) => return Err(self.failed(here, &trouble)),
                Ok(breaches) => {
                    tally.note(&breaches);
                    if manner != Manner::LyingDisk
                        && let Some(breach) = breaches.first()
                    {
                        let trouble = Trouble::from(format!("{breach:?}"));
                        return Err(self.failed(here, &trouble));
                    }
                    breaches.is_empty()
                }
            };
            tally.cycles += 1;
            if !goes_on(&tally) {
                break;
            }
            installation = sound.then_some(here);
        }
        tally.seconds = clock::now().duration_since(began).as_secs_f64();
        let said = self.machine.said();
        match said.lines().find(|line| line.contains("panicked")) {
            Some(line) => Err(Trouble::from(format!("the provider panicked: {line}"))),
            None => Ok(tally),
        }
    }

    fn failed(&self, mut here: Installation, trouble: &Trouble) -> Trouble {
        here.home.keep();
        here.provider = None;
        let said = self.machine.said();
        let last: Vec<_> = said.lines().rev().take(5).collect();
        Trouble::from(format!(
            "cycle {} of seed {}: {trouble}; the installation is kept in {}; the provider's last words:\n{}",
            self.number,
            self.seed,
            here.home.path().display(),
            last.join("\n")
        ))
    }

    /// A fresh installation, serving.
    fn settle(&self, manner: Manner) -> Result<Installation, Trouble> {
        let beside = self.machine.furka.parent().unwrap_or(Path::new("."));
        let home = match manner {
            Manner::Kill => Scratch::inside(beside)?,
            Manner::PowerCut | Manner::LyingDisk => Scratch::in_memory()?,
        };
        let folder = home.path().join("furka");
        self.template.copy(&folder)?;
        let disk = match manner {
            Manner::Kill => None,
            Manner::PowerCut | Manner::LyingDisk => Some(Disk::watch(&folder, home.path(), SYNC)?),
        };
        let place = Arc::new(Place {
            acknowledged: Arc::default(),
            codes: self.template.codes.clone(),
            disk,
            home: folder,
            machine: self.machine.clone(),
            over: AtomicBool::new(false),
        });
        let provider = Provider::start(&self.machine, &place.home, place.disk.as_ref())?;
        let dice = self.dice.apart(self.number);
        let visitors = (0..VISITORS).map(|number| Visitor::new(&place, (number, VISITORS), &dice));
        Ok(Installation {
            age: 0,
            audit: 0,
            home,
            provider: Some(provider),
            visitors: visitors.collect::<Result<_, _>>()?,
            place,
        })
    }

    fn cycle(
        &mut self,
        here: &mut Installation,
        manner: Manner,
        tally: &mut Tally,
    ) -> Result<Vec<Breach>, Trouble> {
        self.number += 1;
        here.age += 1;
        let mut dice = self.dice.apart(self.number);
        let [soon, later, late] = LOADS;
        let (from, to) = match (manner, dice.below(4)) {
            (Manner::LyingDisk, _) | (_, 3) => late,
            (_, 2) => later,
            _ => soon,
        };
        let moment = Duration::from_micros(dice.below(MOMENT_US));
        // What was promised before it began to lie has to survive, and what ended since comes back.
        if let (Manner::LyingDisk, Some(disk)) = (manner, &here.place.disk)
            && here.age > 1
        {
            disk.lie()?;
        }
        here.load(from + dice.below(to - from), moment)?;
        here.cut(manner, &mut dice, tally)?;
        if dice.once_in(CRASHES_AT_START) {
            let place = &here.place;
            let half = Provider::launch(&self.machine, &place.home, place.disk.as_ref())?;
            thread::sleep(Duration::from_micros(dice.below(START_US)));
            half.kill()?;
            here.cut(manner, &mut dice, tally)?;
            tally.at_start += 1;
        }
        let place = Arc::clone(&here.place);
        let provider = Provider::start(&self.machine, &place.home, place.disk.as_ref())?;
        here.provider = Some(provider);
        place.over.store(false, Ordering::SeqCst);
        place.acknowledged.store(0, Ordering::SeqCst);
        for visitor in &mut here.visitors {
            tally.acknowledge(std::mem::take(&mut visitor.promises.counts));
        }
        let breaches = here.checks(&mut self.examiner, manner);
        for visitor in &mut here.visitors {
            tally.look(std::mem::take(&mut visitor.promises.looked_at));
        }
        breaches
    }
}

impl Installation {
    /// Everybody does what they do, and in the middle of it the provider is killed.
    fn load(&mut self, promises: u64, moment: Duration) -> Result<(), Trouble> {
        let place = Arc::clone(&self.place);
        let Some(provider) = self.provider.take() else {
            return Err(Trouble::from("nobody serves"));
        };
        let visitors = &mut self.visitors;
        let (killed, visits) = thread::scope(|scope| {
            let visits: Vec<_> = visitors
                .iter_mut()
                .map(|visitor| scope.spawn(|| visitor.visits()))
                .collect();
            let longest = Deadline::after(LOAD_MAX);
            let running = || visits.iter().any(|visit| !visit.is_finished());
            while place.acknowledged.load(Ordering::SeqCst) < promises
                && !longest.is_over()
                && running()
            {
                thread::sleep(PAUSE);
            }
            thread::sleep(moment);
            place.over.store(true, Ordering::SeqCst);
            let killed = provider.kill();
            let visits: Vec<_> = visits
                .into_iter()
                .map(|visit| ended(visit.join()))
                .collect();
            (killed, visits)
        });
        killed?;
        visits.into_iter().collect()
    }

    fn cut(&self, manner: Manner, dice: &mut Dice, tally: &mut Tally) -> Result<(), Trouble> {
        let Some(disk) = &self.place.disk else {
            return Ok(());
        };
        let how = match (manner, dice.below(4)) {
            (Manner::LyingDisk, _) | (_, 0 | 1) => Cut::All,
            (_, 2) => Cut::Some(512),
            _ => Cut::Some(4096),
        };
        tally.cut(how, disk.cut(how, dice)?);
        Ok(())
    }

    /// Visitors, the audit's own proof, and the examiner, at the same time.
    fn checks(&mut self, examiner: &mut Examiner, manner: Manner) -> Result<Vec<Breach>, Trouble> {
        let place = Arc::clone(&self.place);
        let visitors = &mut self.visitors;
        let database = place.home.join("furka.sqlite");
        let (breaches, audit, examined) = thread::scope(|scope| {
            let checks: Vec<_> = visitors
                .iter_mut()
                .map(|visitor| scope.spawn(|| visitor.checks()))
                .collect();
            let audit = scope.spawn(|| audit(&place));
            let examined = examiner.examine(&database);
            let breaches: Vec<_> = checks
                .into_iter()
                .map(|check| ended(check.join()))
                .collect();
            (breaches, ended_trouble(audit.join()), examined)
        });
        let breaches: Result<Vec<_>, Trouble> = breaches.into_iter().collect();
        let (mut breaches, audit) = (breaches?.concat(), audit?);
        examined?;
        if audit < self.audit {
            breaches.push(Breach::Lost(format!(
                "audit entries: there were {}, there are {audit}",
                self.audit
            )));
        }
        if manner != Manner::LyingDisk {
            self.audit = audit;
        }
        Ok(breaches)
    }
}

/// `furka audit verify`: how many entries hold.
fn audit(place: &Place) -> Result<u64, Trouble> {
    let mut command = place.machine.command(&place.home);
    command.args(["audit", "verify"]);
    if let Some(disk) = &place.disk {
        disk.under(&mut command);
    }
    let said = canton::run(command)?;
    let entries = said.split_whitespace().find_map(|word| word.parse().ok());
    entries.ok_or_else(|| Trouble::from(format!("`furka audit verify` says no number: {said}")))
}

fn ended<T>(joined: thread::Result<Result<T, Broken>>) -> Result<T, Trouble> {
    ended_trouble(joined.map(|result| result.map_err(Trouble::from)))
}

fn ended_trouble<T>(joined: thread::Result<Result<T, Trouble>>) -> Result<T, Trouble> {
    joined.unwrap_or_else(|_| Err(Trouble::from("a visitor panicked")))
}
