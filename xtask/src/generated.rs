//! `gen`: documents that are made from the checkout. `tidy` says when one is stale.

use std::fs;

use crate::tidy;
use crate::workshop::{Trouble, Workshop};

/// Writes all of them.
pub(crate) fn write(workshop: &Workshop, _arguments: &[String]) -> Result<(), Trouble> {
    let (path, text) = tidy::requirements_table(workshop)?;
    fs::write(workshop.root().join(path), text)
        .map_err(|error| Trouble::new(format!("writing `{path}`: {error}")))?;
    println!("{path} is written");
    Ok(())
}
