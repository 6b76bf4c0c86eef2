//! The one place where passwords are hashed: as many workers as cores, a bounded queue before them.
//!
//! Work belongs to a worker, never to a request: a person who leaves does not free a slot for the
//! next hash, and work whose person has left before it began is not done at all.

use std::{
    collections::VecDeque,
    fmt, io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{Costs, Password, Pepper, PhcString, Salt, Stored, Verdict, verify::Hasher};

/// Monotonic time since some fixed moment.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The machine's monotonic clock.
#[must_use]
pub fn monotonic() -> Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "waiting is measured by the machine's monotonic clock, which only this line reads"
    )]
    let read = std::time::Instant::now;
    let start = read();
    Arc::new(move || read().saturating_duration_since(start))
}

/// How many hash at once and how long people may wait for their turn.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Hashes at the same time: the cores of the machine, more is never faster.
    pub workers: NonZeroUsize,
    /// Longest queue; who comes then is told at once to come back.
    pub queue_max: usize,
    /// From this wait on the newest is served first: who waited longest has most likely left. Whoever
    /// would wait half as long is told at once to come back, so that it seldom comes to that.
    pub late_after: Duration,
    /// Nobody waits longer than this.
    pub patience: Duration,
}

impl PoolLimits {
    /// For so many cores: a queue of about two seconds of work, eight seconds of patience.
    #[must_use]
    pub fn for_cores(workers: NonZeroUsize) -> Self {
        Self {
            workers,
            queue_max: workers.get().saturating_mul(100),
            late_after: Duration::from_secs(4),
            patience: Duration::from_secs(8),
        }
    }
}

/// Too many people sign in at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sign-ins at this moment; try again in {retry_after_s} s")]
pub struct Busy {
    /// When the queue should be empty, in seconds, 1 to 60: `Retry-After`.
    pub retry_after_s: u32,
}

/// What the pool has done since its start, and what it is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Hashes begun, those for unknown names included.
    pub hashes: u64,
    /// Work not begun because its person had left.
    pub abandoned: u64,
    /// Work not begun because it had waited too long.
    pub expired: u64,
    /// Work refused because the queue was full.
    pub shed: u64,
    /// Work waiting now.
    pub queued: usize,
}

/// The workers and their queue. Dropping it ends each worker after its current hash.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    limits: PoolLimits,
    clock: Clock,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
    counters: Counters,
    /// Moving average of the time one piece of work takes.
    mean: Duration,
}

struct Job {
    work: Work,
    since: Duration,
}

/// What was put down before a password is looked at. It is given back if it never is: its person left,
/// or waited too long, or found the queue full.
#[must_use]
pub struct Stake(Option<Box<dyn FnOnce() + Send>>);

impl Stake {
    /// `give_back` is called on whatever thread gives the work up, and must not wait.
    pub fn new(give_back: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(give_back)))
    }

    /// Nothing was put down.
    pub fn none() -> Self {
        Self(None)
    }

    /// From here on it is spent, whatever the verdict.
    fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Stake {
    fn drop(&mut self) {
        if let Some(give_back) = self.0.take() {
            give_back();
        }
    }
}

impl fmt::Debug for Stake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stake").field(&self.0.is_some()).finish()
    }
}

enum Work {
    Dummy {
        password: Password,
        stake: Stake,
        answer: oneshot::Sender<()>,
    },
    Hash {
        password: Password,
        salt: Salt,
        answer: oneshot::Sender<PhcString>,
    },
    Verify {
        password: Password,
        stored: Box<Stored>,
        stake: Stake,
        answer: oneshot::Sender<Verdict>,
    },
    #[cfg(test)]
    Gate(tests::Gate),
}

impl Pool {
    /// Starts the workers. No memory is taken before their first hash.
    ///
    /// # Errors
    /// When the machine gives no more threads.
    pub fn new(limits: PoolLimits, costs: Costs, pepper: Pepper, clock: Clock) -> io::Result<Self> {
        let queue = Mutex::default();
        let shared = Arc::new(Shared {
            limits,
            clock,
            queue,
            changed: Condvar::new(),
        });
        // Made first: when a later thread is refused, dropping it ends the earlier ones.
        let pool = Self { shared };
        let pepper = Arc::new(pepper);
        for number in 0..limits.workers.get() {
            let shared = Arc::clone(&pool.shared);
            let hasher = Hasher::new(costs, Arc::clone(&pepper));
            thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || shared.work(hasher))?;
        }
        Ok(pool)
    }

    /// Whether the password is the stored one. The stake is spent when it is looked at.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full or the wait was too long; the password was not looked at.
    pub async fn verify(
        &self,
        password: Password,
        stored: Stored,
        stake: Stake,
    ) -> Result<Verdict, Busy> {
        let (answer, verdict) = oneshot::channel();
        self.shared.enqueue(Work::Verify {
            password,
            stored: Box::new(stored),
            stake,
            answer,
        })?;
        verdict.await.map_err(|_| self.busy())
    }

    /// Takes as long as [`Pool::verify`] and the same way through the queue: for unknown names.
    ///
    /// # Errors
    /// [`Busy`] exactly when `verify` would have been.
    pub async fn verify_dummy(&self, password: Password, stake: Stake) -> Result<(), Busy> {
        let (answer, done) = oneshot::channel();
        self.shared.enqueue(Work::Dummy {
            password,
            stake,
            answer,
        })?;
        done.await.map_err(|_| self.busy())
    }

    /// Makes a hash to be stored, under the current costs and pepper.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full or the wait was too long.
    pub async fn hash(&self, password: Password, salt: Salt) -> Result<PhcString, Busy> {
        let (answer, hash) = oneshot::channel();
        self.shared.enqueue(Work::Hash {
            password,
            salt,
            answer,
        })?;
        hash.await.map_err(|_| self.busy())
    }

    /// Whether there is room for one more; asked first, so that being turned away costs nothing.
    ///
    /// # Errors
    /// [`Busy`] exactly when one of the others would be at this moment.
    pub fn room(&self) -> Result<(), Busy> {
        self.shared.room(&mut self.shared.lock())
    }

    /// What has been done so far, for the metrics.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let queue = self.shared.lock();
        Counters {
            queued: queue.jobs.len(),
            ..queue.counters
        }
    }

    fn busy(&self) -> Busy {
        self.shared.lock().busy(self.shared.limits)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.counters()).finish()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        queue.jobs.clear();
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, work: Work) -> Result<(), Busy> {
        let since = (self.clock)();
        let mut queue = self.lock();
        self.room(&mut queue)?;
        queue.jobs.push_back(Job { work, since });
        // A worker that is woken while the queue is held sleeps again at once, and is woken twice.
        drop(queue);
        self.changed.notify_one();
        Ok(())
    }

    fn room(&self, queue: &mut Queue) -> Result<(), Busy> {
        if queue.is_full(self.limits) {
            queue.forget_abandoned();
        }
        if queue.is_full(self.limits) {
            queue.counters.shed += 1;
            return Err(queue.busy(self.limits));
        }
        Ok(())
    }

    /// The life of one worker.
    fn work(&self, mut hasher: Hasher) {
        let mut warm = false;
        while let Some(job) = self.next() {
            let begun = (self.clock)();
            // A panic in a hash function costs its person an answer, not the pool a worker.
            if catch_unwind(AssertUnwindSafe(|| job.work.run(&mut hasher))).is_err() {
                tracing::error!("hashing a password panicked");
            }
            // The first one maps the memory, which says nothing about those that follow.
            if warm {
                self.lock().learn((self.clock)().saturating_sub(begun));
            }
            warm = true;
        }
    }

    /// Waits for work that is still wanted; `None` when the pool is gone.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            match queue.pop((self.clock)(), self.limits) {
                Some(job) => return Some(job),
                None => {
                    queue = self
                        .changed
                        .wait(queue)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl Queue {
    /// The next piece of work whose person still waits: the oldest, or under pressure the newest.
    fn pop(&mut self, now: Duration, limits: PoolLimits) -> Option<Job> {
        loop {
            let waited = now.saturating_sub(self.jobs.front()?.since);
            let job = if waited > limits.late_after && waited <= limits.patience {
                self.jobs.pop_back()?
            } else {
                self.jobs.pop_front()?
            };
            if job.work.is_abandoned() {
                self.counters.abandoned += 1;
            } else if waited > limits.patience {
                self.counters.expired += 1;
            } else {
                self.counters.hashes += 1;
                return Some(job);
            }
        }
    }

    fn forget_abandoned(&mut self) {
        let before = self.jobs.len();
        self.jobs.retain(|job| !job.work.is_abandoned());
        let forgotten = before.saturating_sub(self.jobs.len());
        self.counters.abandoned += u64::try_from(forgotten).unwrap_or(u64::MAX);
    }

    fn learn(&mut self, took: Duration) {
        self.mean = if self.mean.is_zero() {
            took
        } else {
            self.mean.saturating_mul(7).saturating_add(took) / 8
        };
    }

    fn is_full(&self, limits: PoolLimits) -> bool {
        self.jobs.len() >= limits.queue_max || self.wait(limits) >= limits.late_after / 2
    }

    /// How long the next one would wait.
    fn wait(&self, limits: PoolLimits) -> Duration {
        let queued = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
        let workers = u32::try_from(limits.workers.get()).unwrap_or(u32::MAX);
        self.mean.saturating_mul(queued) / workers
    }

    fn busy(&self, limits: PoolLimits) -> Busy {
        let seconds = self.wait(limits).as_secs().clamp(1, 60);
        Busy {
            retry_after_s: u32::try_from(seconds).unwrap_or(60),
        }
    }
}

impl Work {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Dummy { answer, .. } => answer.is_closed(),
            Self::Hash { answer, .. } => answer.is_closed(),
            Self::Verify { answer, .. } => answer.is_closed(),
            #[cfg(test)]
            Self::Gate(_) => false,
        }
    }

    /// Does it. An answer that nobody waits for any more is dropped.
    fn run(self, hasher: &mut Hasher) {
        match self {
            Self::Dummy {
                password,
                stake,
                answer,
            } => {
                stake.spend();
                hasher.dummy(&password);
                let _gone = answer.send(());
            }
            Self::Hash {
                password,
                salt,
                answer,
            } => match hasher.hash(&password, salt) {
                Ok(hash) => drop(answer.send(hash)),
                Err(error) => tracing::error!(%error, "making a password hash failed"),
            },
            Self::Verify {
                password,
                stored,
                stake,
                answer,
            } => {
                stake.spend();
                let _gone = answer.send(hasher.verify(&password, &stored));
            }
            #[cfg(test)]
            Self::Gate(gate) => gate.pass(),
        }
    }
}

#[cfg(test)]
mod tests;
