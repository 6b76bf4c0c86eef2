//! The engine in the binary.
