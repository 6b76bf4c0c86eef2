//! The pool with workers that tests hold at a gate, and a clock that only tests move.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    task::{Context, Poll, Waker},
};

use store::seal::Keys;

use super::*;
use crate::password::Imported;

/// [A13] A person who leaves while waiting is not hashed for.
#[tokio::test]
async fn work_whose_person_has_left_is_not_done() {
    let stage = Stage::new(1, 10);
    let gate = stage.close_a_gate("busy");
    for _ in 0..3 {
        let mut leaving = pin!(stage.pool.verify_dummy(password(), Stake::none()));
        assert!(poll(leaving.as_mut()).is_pending());
    }

    gate.open();
    stage
        .pool
        .verify_dummy(password(), Stake::none())
        .await
        .unwrap();

    let counters = stage.pool.counters();
    assert_eq!(
        (counters.hashes, counters.abandoned),
        (2, 3),
        "the gate and the one who stayed"
    );
}

/// [A13] A try that was put down comes back to whoever leaves, waits too long or finds the queue full,
/// and to nobody whose password was looked at.
#[tokio::test]
async fn a_stake_comes_back_unless_the_password_was_looked_at() {
    let stage = Stage::new(1, 2);
    let back = Arc::new(AtomicU64::new(0));
    let stake = || {
        let back = back.clone();
        Stake::new(move || {
            back.fetch_add(1, Ordering::Relaxed);
        })
    };
    let given_back = || back.load(Ordering::Relaxed);
    let gate = stage.close_a_gate("busy");
    let mut late = Box::pin(stage.pool.verify_dummy(password(), stake()));
    let mut leaving = Box::pin(stage.pool.verify_dummy(password(), stake()));
    assert!(poll(late.as_mut()).is_pending() && poll(leaving.as_mut()).is_pending());
    assert!(stage.pool.verify_dummy(password(), stake()).await.is_err());
    assert_eq!(given_back(), 1, "the queue was full");

    drop(leaving);
    stage.advance(PATIENCE + Duration::from_millis(1));
    gate.open();
    assert!(late.await.is_err());
    stage.pool.verify_dummy(password(), stake()).await.unwrap();
    let hash = stage.pool.hash(password(), Salt([7; 16])).await.unwrap();
    let stored = Stored::parse(hash.as_str()).unwrap();
    let wrong = stage.pool.verify(other_password(), stored, stake()).await;
    assert_eq!(wrong, Ok(Verdict::Wrong));
    assert_eq!(given_back(), 3, "and two were not looked at");
}

/// [A13] The slot belongs to the work: leaving during a hash does not start another one.
#[test]
fn leaving_during_a_hash_frees_no_slot() {
    let stage = Stage::new(2, 10);
    let _gates = [stage.close_a_gate("first"), stage.close_a_gate("second")];
    stage.queue_a_gate("third");

    assert_eq!(stage.entered.try_recv(), Err(mpsc::TryRecvError::Empty));
    assert_eq!(stage.pool.counters().queued, 1);
}

/// [A13] Beyond the queue's limit people are told at once to come back.
#[test]
fn a_full_queue_refuses_at_once() {
    let stage = Stage::new(1, 2);
    let _gate = stage.close_a_gate("busy");
    let mut waiting = [
        Box::pin(stage.pool.verify_dummy(password(), Stake::none())),
        Box::pin(stage.pool.verify_dummy(password(), Stake::none())),
    ];
    waiting
        .iter_mut()
        .for_each(|person| assert!(poll(person.as_mut()).is_pending()));

    let mut refused = pin!(stage.pool.verify_dummy(password(), Stake::none()));
    assert_eq!(
        poll(refused.as_mut()),
        Poll::Ready(Err(Busy { retry_after_s: 1 }))
    );
    assert_eq!(stage.pool.counters().shed, 1);

    drop(waiting);
    let mut admitted = pin!(stage.pool.verify_dummy(password(), Stake::none()));
    assert!(poll(admitted.as_mut()).is_pending(), "who left makes room");
}

/// [A13] However slow the machine is: who would wait too long is told at once, and nothing is done
/// for them.
#[test]
fn a_queue_is_full_when_the_next_would_wait_too_long() {
    let stage = Stage::new(1, 10);
    stage.close_a_gate("first").open();
    let slow = stage.close_a_gate("slow");
    let _busy = stage.queue_a_gate("busy");
    stage.advance(LATE_AFTER);
    slow.open();
    assert_eq!(stage.entered.recv(), Ok("busy"));

    assert_eq!(stage.pool.room(), Ok(()));
    let _next = stage.queue_a_gate("next");
    assert_eq!(stage.pool.room(), Err(Busy { retry_after_s: 1 }));
    assert_eq!(stage.pool.counters().queued, 1);
}

/// [A13] Nobody waits for ever.
#[tokio::test]
async fn work_that_waited_too_long_is_given_up() {
    let stage = Stage::new(1, 10);
    let gate = stage.close_a_gate("busy");
    let mut late = Box::pin(stage.pool.verify_dummy(password(), Stake::none()));
    assert!(poll(late.as_mut()).is_pending());

    stage.advance(PATIENCE + Duration::from_millis(1));
    gate.open();

    assert!(late.await.is_err());
    assert_eq!(stage.pool.counters().expired, 1);
}

/// [A13] When late, the newest is served first: the oldest has most likely left.
#[test]
fn under_pressure_the_newest_is_served_first() {
    let stage = Stage::new(1, 10);
    let gate = stage.close_a_gate("busy");
    let older = stage.queue_a_gate("older");
    stage.advance(LATE_AFTER + Duration::from_millis(1));
    let newer = stage.queue_a_gate("newer");

    gate.open();
    assert_eq!(stage.entered.recv(), Ok("newer"));
    newer.open();
    assert_eq!(stage.entered.recv(), Ok("older"));
    older.open();
}

#[test]
fn without_pressure_the_oldest_is_served_first() {
    let stage = Stage::new(1, 10);
    let gate = stage.close_a_gate("busy");
    let _older = stage.queue_a_gate("older");
    let _newer = stage.queue_a_gate("newer");

    gate.open();
    assert_eq!(stage.entered.recv(), Ok("older"));
}

#[tokio::test]
async fn a_worker_outlives_a_panic() {
    let stage = Stage::new(1, 10);
    stage.pool.shared.enqueue(Work::Gate(Gate::Panic)).unwrap();
    stage
        .pool
        .verify_dummy(password(), Stake::none())
        .await
        .unwrap();
}

#[test]
fn the_advice_to_come_back_follows_the_work_that_waits() {
    let queue = || Queue {
        mean: Duration::from_secs(3),
        ..Queue::default()
    };
    let limits = limits(2, 100);
    assert_eq!(queue().busy(limits).retry_after_s, 1);
    let mut long = queue();
    for _ in 0..10 {
        long.jobs.push_back(Job {
            work: Work::Gate(Gate::Panic),
            since: Duration::ZERO,
        });
    }
    assert_eq!(long.busy(limits).retry_after_s, 15);
    long.mean = Duration::from_secs(600);
    assert_eq!(long.busy(limits).retry_after_s, 60);
}

/// [A06] An unknown name costs the same work as a wrong password: one hash with the same costs.
#[tokio::test]
async fn an_unknown_name_costs_a_hash_like_a_known_one() {
    let stage = Stage::new(1, 10);
    let hash = stage.pool.hash(password(), Salt([7; 16])).await.unwrap();
    let stored = Stored::parse(hash.as_str()).unwrap();
    assert_eq!(
        stage
            .pool
            .verify(other_password(), stored, Stake::none())
            .await,
        Ok(Verdict::Wrong)
    );
    assert_eq!(stage.pool.counters().hashes, 2);
    stage
        .pool
        .verify_dummy(other_password(), Stake::none())
        .await
        .unwrap();
    assert_eq!(stage.pool.counters().hashes, 3);
}

#[tokio::test]
async fn an_imported_password_is_right_and_asks_to_be_hashed_anew() {
    let stage = Stage::new(2, 10);
    let stored = Stored::parse("{SHA}ZN3uoDVVxUUtOQ/M0CpeqM1FnF8=").unwrap();
    assert!(Imported::recognise("{SHA}ZN3uoDVVxUUtOQ/M0CpeqM1FnF8=").is_ok());
    let right = stage.pool.verify(password(), stored, Stake::none()).await;
    assert_eq!(right, Ok(Verdict::Right { upgrade: true }));

    let hash = stage.pool.hash(password(), Salt([7; 16])).await.unwrap();
    let stored = Stored::parse(hash.as_str()).unwrap();
    let right = stage.pool.verify(password(), stored, Stake::none()).await;
    assert_eq!(right, Ok(Verdict::Right { upgrade: false }));
}

const LATE_AFTER: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(8);

fn limits(workers: usize, queue_max: usize) -> PoolLimits {
    let workers = NonZeroUsize::new(workers).unwrap();
    PoolLimits {
        workers,
        queue_max,
        late_after: LATE_AFTER,
        patience: PATIENCE,
    }
}

fn password() -> Password {
    Password::parse("correct horse été".to_owned()).unwrap()
}

fn other_password() -> Password {
    Password::parse("correct horse ete".to_owned()).unwrap()
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A pool, its clock, and the names of the gates its workers have come to.
struct Stage {
    pool: Pool,
    now_ms: Arc<AtomicU64>,
    enter: mpsc::Sender<&'static str>,
    entered: mpsc::Receiver<&'static str>,
}

impl Stage {
    fn new(workers: usize, queue_max: usize) -> Self {
        let now_ms = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&now_ms);
        let clock: Clock = Arc::new(move || Duration::from_millis(read.load(Ordering::SeqCst)));
        let pepper = Pepper::of(Arc::new(Keys::from_master(&[1; 32])));
        let limits = limits(workers, queue_max);
        let pool = Pool::new(limits, Costs::dangerously_cheap(), pepper, clock).unwrap();
        let (enter, entered) = mpsc::channel();
        Self {
            pool,
            now_ms,
            enter,
            entered,
        }
    }

    fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap();
        self.now_ms.fetch_add(by, Ordering::SeqCst);
    }

    fn queue_a_gate(&self, name: &'static str) -> Opener {
        let (opener, open) = mpsc::channel();
        let gate = Gate::Closed {
            name,
            entered: self.enter.clone(),
            open,
        };
        self.pool.shared.enqueue(Work::Gate(gate)).unwrap();
        Opener(opener)
    }

    /// Returns when a worker stands before the gate.
    fn close_a_gate(&self, name: &'static str) -> Opener {
        let opener = self.queue_a_gate(name);
        assert_eq!(self.entered.recv(), Ok(name));
        opener
    }
}

/// Opens its gate when asked, or when dropped.
struct Opener(#[expect(dead_code, reason = "a gate opens when its sender goes")] mpsc::Sender<()>);

impl Opener {
    fn open(self) {}
}

/// Work that takes until a test says so.
pub(super) enum Gate {
    Closed {
        name: &'static str,
        entered: mpsc::Sender<&'static str>,
        open: mpsc::Receiver<()>,
    },
    Panic,
}

impl Gate {
    pub(super) fn pass(self) {
        match self {
            Self::Closed {
                name,
                entered,
                open,
            } => {
                let _gone = entered.send(name);
                let _opened = open.recv();
            }
            Self::Panic => panic!("a hash function gone wrong"),
        }
    }
}
