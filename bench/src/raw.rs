//! The floor: Argon2id alone at the provider's parameters, on every core, with memory kept mapped.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::{Trouble, canton::PASSWORD};

/// What was hashed in a window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw {
    pub(crate) cpu: Duration,
    pub(crate) hashes: u64,
    pub(crate) took: Duration,
}

impl Raw {
    pub(crate) fn add(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.hashes += other.hashes;
        self.took += other.took;
    }

    pub(crate) fn per_second(self) -> f64 {
        crate::ratio(self.hashes, self.took)
    }

    /// CPU time of one hash, in milliseconds.
    pub(crate) fn cpu_ms(self) -> f64 {
        crate::each_ms(self.cpu, self.hashes)
    }
}

/// Hashes on so many threads for so long; blocks.
pub(crate) fn hash(threads: usize, window: Duration) -> Result<Raw, Trouble> {
    let params = Params::new(Params::DEFAULT_M_COST, 2, 1, Some(32));
    let params = params.map_err(|error| error.to_string())?;
    let over = AtomicBool::new(false);
    let clock = server::password::monotonic();
    let worker = || -> Result<Raw, Trouble> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let mut memory = vec![Block::new(); params.block_count()];
        let mut output = [0; 32];
        let mut once = || {
            let (text, salt) = (PASSWORD.as_bytes(), &[7; 16]);
            argon2.hash_password_into_with_memory(text, salt, &mut output, &mut memory)
        };
        // The first one maps the memory.
        once().map_err(|error| error.to_string())?;
        let (before, began) = (this_threads_cpu()?, clock());
        let mut raw = Raw::default();
        while !over.load(Ordering::Relaxed) {
            once().map_err(|error| error.to_string())?;
            raw.hashes += 1;
        }
        raw.cpu = this_threads_cpu()?.saturating_sub(before);
        raw.took = clock().saturating_sub(began);
        Ok(raw)
    };
    let mut all = Raw::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        thread::sleep(window);
        over.store(true, Ordering::Relaxed);
        for worker in workers {
            let raw = worker
                .join()
                .map_err(|_| "a thread that hashes panicked")??;
            all.cpu += raw.cpu;
            all.hashes += raw.hashes;
            all.took = all.took.max(raw.took);
        }
        Ok(all)
    })
}

fn this_threads_cpu() -> Result<Duration, Trouble> {
    let spent = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(
        spent.split(' ').next().unwrap_or_default().parse()?,
    ))
}
