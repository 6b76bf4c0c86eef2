//! The audit: append-only, and each entry holds the hash of the one before.
