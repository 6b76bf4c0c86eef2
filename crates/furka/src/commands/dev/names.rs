//! Names as they are heard in the Valais, on both sides of the Raspille; and places where there are
//! schools. One a line in a file of its own.

/// Lists of one language.
pub(super) struct Names {
    pub(super) first: Vec<&'static str>,
    pub(super) last: Vec<&'static str>,
    pub(super) places: Vec<&'static str>,
    pub(super) schools: Vec<&'static str>,
}

impl Names {
    pub(super) fn french() -> Self {
        Self {
            first: lines(include_str!("names/first-fr.txt")),
            last: lines(include_str!("names/last-fr.txt")),
            places: lines(include_str!("names/places-fr.txt")),
            schools: lines(include_str!("names/schools-fr.txt")),
        }
    }

    pub(super) fn german() -> Self {
        Self {
            first: lines(include_str!("names/first-de.txt")),
            last: lines(include_str!("names/last-de.txt")),
            places: lines(include_str!("names/places-de.txt")),
            schools: lines(include_str!("names/schools-de.txt")),
        }
    }
}

fn lines(text: &'static str) -> Vec<&'static str> {
    text.lines().collect()
}
