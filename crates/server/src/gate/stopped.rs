//! Why a request of an application ends early: its fault, or our failure.

use store::StoreError;
use wire::oauth::token::{Answer, Fault};

use crate::{app::App, failure::Failure};

/// Not answered as asked.
pub(super) enum Stopped {
    /// The application spoke wrongly.
    Fault(Fault),
    /// Ours.
    Failure(Failure),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

/// What the application is told: an answer, or its fault.
pub(super) fn told(app: &App, outcome: Result<Answer, Stopped>) -> Result<Answer, Failure> {
    match outcome {
        Ok(answer) => Ok(answer),
        Err(Stopped::Failure(failure)) => Err(failure),
        // Devices ask every few seconds.
        Err(Stopped::Fault(fault @ Fault::DevicePending)) => Ok(fault.answer()),
        Err(Stopped::Fault(fault)) => {
            app.metrics.token_faults.inc();
            tracing::info!(fault = ?fault, "a request of an application was refused");
            Ok(fault.answer())
        }
    }
}
