//! Ring 3: the stories in memory, and what strangers, scripts and other people's applications meet.

mod stories;
