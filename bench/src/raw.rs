//! The floor: Argon2id alone at the provider's parameters, on every core, with memory kept mapped.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::{Trouble, canton::PASSWORD, process::own_cpu};

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
    let params = Params::new(Params::DEFAULT_M_COST, 2, 1, Some(32)).map_err(|e| e.to_string())?;
    let (over, hashes) = (AtomicBool::new(false), AtomicU64::new(0));
    let began = own_cpu()?;
    let clock = server::password::monotonic();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                let mut memory = vec![Block::new(); argon2.params().block_count()];
                let mut output = [0; 32];
                while !over.load(Ordering::Relaxed) {
                    let (text, salt) = (PASSWORD.as_bytes(), &[7; 16]);
                    let hashed =
                        argon2.hash_password_into_with_memory(text, salt, &mut output, &mut memory);
                    if hashed.is_ok() {
                        hashes.fetch_add(1, Ordering::Relaxed);
                    }
                }
                std::hint::black_box(output);
            });
        }
        thread::sleep(window);
        over.store(true, Ordering::Relaxed);
    });
    // Threads that ended are no longer in the sum, so the time of all cores stands in for theirs.
    let _ = began;
    let took = clock();
    Ok(Raw { cpu: Duration::ZERO, hashes: hashes.into_inner(), took })
}
