//! What ends a command early, and the one place that says it: what, why, and what helps.

use std::{error::Error, fmt, process::ExitCode};

/// A command that could not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    cure: Option<String>,
    passing: bool,
    sentence: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// How a command that did what it was asked ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub(crate) enum Exit {
    /// Nothing is left to do.
    Done,
    /// A plan waits for a yes.
    PlanWaits,
    /// It found problems, and has said them.
    Problems,
}

/// What a command comes to.
pub(crate) type Outcome = Result<Exit, Failure>;

/// Wrong words on the command line, as in `sysexits.h`; 2 belongs to plans.
pub(crate) const USAGE: u8 = 64;

impl Failure {
    /// A failure that is its own explanation.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self {
            cure: None,
            passing: false,
            sentence: sentence.into(),
            source: None,
        }
    }

    /// What helps, as an imperative.
    pub(crate) fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// The same may work in a moment: the database is out of reach.
    pub(crate) fn passing(mut self) -> Self {
        self.passing = true;
        self
    }

    /// Whether the same may work in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        self.passing
    }

    /// What is behind it, each sentence once, the outermost first.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut cause: Option<&dyn Error> = self.source();
        let (mut causes, mut said) = (vec![], self.sentence.clone());
        while let Some(error) = cause {
            let sentence = error.to_string();
            // Libraries like to repeat their cause in their own sentence.
            if !said.contains(&sentence) {
                causes.push(sentence.clone());
            }
            said = sentence;
            cause = error.source();
        }
        causes
    }

    /// What helps, if anything is known to.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.cure.as_deref()
    }

    /// Prints it to standard error.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("error: {}", self.sentence);
        for cause in self.causes() {
            eprintln!("  because {}", cause.replace('\n', "\n          "));
        }
        if let Some(cure) = &self.cure {
            eprintln!("  to do: {cure}");
        }
        ExitCode::FAILURE
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Problems => Self::FAILURE,
            Exit::PlanWaits => Self::from(2),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Self {
        let passing = error.is_passing();
        let failure = Self::new(format!("{} failed", error.doing));
        let why = error.source.to_string();
        let cure = if let Some(refused) = store::image::Refused::of(&error) {
            Some(crate::commands::store::cure(refused))
        } else if why.contains("readonly") || why.contains("read-only") {
            Some("let the user that runs `furka` write to the database's file and its folder")
        } else if why.contains("disk is full") {
            Some("free space; nothing was half written")
        } else if why.contains("locked") {
            Some("try again; if it stays, look for another program that has the database open")
        } else {
            None
        };
        let failure = Self {
            passing,
            source: Some(error.source),
            ..failure
        };
        match cure {
            Some(cure) => failure.cure(cure),
            None => failure,
        }
    }
}

/// Says what was being done when something failed.
pub(crate) trait Doing<T> {
    /// `doing` begins with a verb: *reading the key file*.
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            source: Some(error.into()),
            ..Failure::new(format!("{} failed", doing()))
        })
    }
}
