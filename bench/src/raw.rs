//! Floors: what a thing costs with nothing around it. Argon2id at the provider's parameters, on every core, with
//! memory kept mapped; signatures by the provider's library.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};

use crate::{Trouble, canton::PASSWORD};

/// What was hashed or signed in a window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw {
    pub(crate) cpu: Duration,
    pub(crate) done: u64,
    pub(crate) took: Duration,
}

impl Raw {
    pub(crate) fn add(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.done += other.done;
        self.took += other.took;
    }

    pub(crate) fn per_second(self) -> f64 {
        crate::ratio(self.done, self.took)
    }

    /// CPU time of one, in milliseconds.
    pub(crate) fn cpu_ms(self) -> f64 {
        crate::each_ms(self.cpu, self.done)
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
            raw.done += 1;
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
            all.done += raw.done;
            all.took = all.took.max(raw.took);
        }
        Ok(all)
    })
}

/// What is signed with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Signature {
    Es256,
    /// With a key of 2048 bits.
    Rs256,
}

/// Signs a text as long as a token on one thread for so long; blocks.
pub(crate) fn sign(with: Signature, window: Duration) -> Result<Raw, Trouble> {
    let (chance, text) = (SystemRandom::new(), [b'a'; 400]);
    let refused = |_| "the cryptographic library refused to sign";
    match with {
        Signature::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
            let pair = pair.map_err(refused)?;
            again_and_again(window, || {
                pair.sign(&chance, &text).map(drop).map_err(refused)
            })
        }
        Signature::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(refused)?;
            let mut signature = vec![0; pair.public_modulus_len()];
            again_and_again(window, || {
                let signed = pair.sign(&RSA_PKCS1_SHA256, &chance, &text, &mut signature);
                signed.map_err(refused)
            })
        }
    }
}

fn again_and_again(
    window: Duration,
    mut once: impl FnMut() -> Result<(), &'static str>,
) -> Result<Raw, Trouble> {
    let clock = server::password::monotonic();
    let (before, began) = (this_threads_cpu()?, clock());
    let mut raw = Raw::default();
    while raw.took < window {
        for _ in 0..16 {
            once()?;
            raw.done += 1;
        }
        raw.took = clock().saturating_sub(began);
    }
    raw.cpu = this_threads_cpu()?.saturating_sub(before);
    Ok(raw)
}

fn this_threads_cpu() -> Result<Duration, Trouble> {
    let spent = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(
        spent.split(' ').next().unwrap_or_default().parse()?,
    ))
}
