//! Step: what the person must, or must not, be asked.

use serde::{Deserialize, Serialize};

use super::Fault;
use super::redirect_uri::Reachable;

/// The `prompt` parameter as a set. `none` stands alone.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prompt {
    /// No page may be shown: answer at once, or with an error.
    pub none: bool,
    /// The person signs in again.
    pub login: bool,
    /// The person consents again.
    pub consent: bool,
    /// The person chooses an account.
    pub select_account: bool,
}

pub(super) fn asked(request: &Reachable<'_>) -> Result<Prompt, Fault> {
    let words: Vec<&str> = request
        .value("prompt")
        .unwrap_or_default()
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect();
    let prompt = Prompt {
        none: words.contains(&"none"),
        login: words.contains(&"login"),
        consent: words.contains(&"consent"),
        select_account: words.contains(&"select_account"),
    };
    // [OIDC Core §3.1.2.1] "If this parameter contains "none" with any other value, an error is returned."
    if prompt.none && words.iter().any(|word| *word != "none") {
        return Err(Fault::PromptContradiction);
    }
    Ok(prompt)
}
