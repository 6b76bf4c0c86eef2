//! The stories, one file a chapter.
