//! The commented `furka.toml` that `furka init` writes, made from the list of options.

use super::options::{Default, OPTIONS};

const WIDTH: usize = 100;

/// The sample. What is `given` stands as a value, everything else as a comment with its default.
pub(crate) fn sample(given: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "# Furka's boot configuration. An unknown key refuses to start, and the sentence says which.\n\
         # Any option can be overridden by the environment: FURKA_LISTEN, FURKA_TLS_KEY, ...\n\
         # Zones, policy, applications and gateways are in resources/: edit, then `furka apply`.\n",
    );
    let mut table = "";
    for option in &OPTIONS {
        let (of, key) = option.key.rsplit_once('.').unwrap_or(("", option.key));
        text.push('\n');
        if of != table {
            table = of;
            text.push_str(&format!("[{of}]\n"));
        }
        for line in wrapped(option.meaning) {
            text.push_str(&format!("# {line}\n"));
        }
        let value = given
            .iter()
            .find(|(key, _)| *key == option.key)
            .map(|(_, value)| *value);
        text.push_str(&match (value, option.default) {
            (Some(value), _) => format!("{key} = {value}\n"),
            (None, Default::Text(default)) => format!("# {key} = {default}\n"),
            (None, _) => format!("# {key} = {}\n", option.example),
        });
    }
    text
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() + 3 <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
