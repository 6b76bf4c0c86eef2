//! What only this engine can show.
