//! The commands of this repository: `cargo xtask COMMAND`.

mod check;
mod fuzz;
mod generated;
mod next;
mod outcome;
mod packages;
mod postgres;
mod product;
mod report;
mod simulate;
mod suite;
mod tidy;
mod trials;
mod workshop;

use std::env;
use std::process::ExitCode;

use workshop::{Trouble, Workshop};

/// A command: its name, what may follow it, what it does.
struct Command {
    name: &'static str,
    arguments: &'static str,
    meaning: &'static str,
    run: fn(&Workshop, &[String]) -> Result<(), Trouble>,
}

/// Every command, in the order in which a newcomer needs them.
const COMMANDS: [Command; 15] = [
    Command {
        name: "demo",
        arguments: "[--port 8400] [--dir DIR]",
        meaning: "a canton on localhost: provider, portal, phones, mailbox; builds first",
        run: product::demo,
    },
    Command {
        name: "test",
        arguments: "",
        meaning: "everything: installs what tests need, then check, release build and e2e",
        run: suite::test,
    },
    Command {
        name: "check",
        arguments: "",
        meaning: "format, clippy, tidy and the tests in memory; the gate for every change",
        run: check::check,
    },
    Command {
        name: "e2e",
        arguments: "[CHAPTER]",
        meaning: "the stories in a real browser against the release binary",
        run: suite::e2e,
    },
    Command {
        name: "tidy",
        arguments: "",
        meaning: "the rules of the house that neither the compiler nor clippy knows",
        run: tidy::tidy,
    },
    Command {
        name: "gen",
        arguments: "",
        meaning: "writes what is made from the checkout: the table of requirements",
        run: generated::write,
    },
    Command {
        name: "bench",
        arguments: "[ARGUMENTS]",
        meaning: "measures the release binary; ratios within one run, not records",
        run: product::bench,
    },
    Command {
        name: "fuzz",
        arguments: "[TARGET] [--seconds S]",
        meaning: "what strangers may send, made by libFuzzer, against every parser",
        run: fuzz::fuzz,
    },
    Command {
        name: "crash",
        arguments: "[ARGUMENTS]",
        meaning: "kills the release binary under load, and cuts its power",
        run: trials::crash,
    },
    Command {
        name: "race",
        arguments: "[--rounds N] [--seed S]",
        meaning: "uses everything once-only on three nodes at the same moment: one may win",
        run: trials::race,
    },
    Command {
        name: "failover",
        arguments: "[--seconds N]",
        meaning: "kills nodes and leaders of databases under load: nothing may be lost",
        run: trials::failover,
    },
    Command {
        name: "upgrade",
        arguments: "[--seconds N]",
        meaning: "changes three nodes for those of a later version while people sign in",
        run: trials::upgrade,
    },
    Command {
        name: "revoke",
        arguments: "[--rounds N]",
        meaning: "takes back on one node: within a second no other may go by the old",
        run: trials::revoke,
    },
    Command {
        name: "outage",
        arguments: "[--seconds N]",
        meaning: "cuts nodes off from the database and moves their clocks under load",
        run: trials::outage,
    },
    Command {
        name: "simulate",
        arguments: "[--seed N] [--hours H]",
        meaning: "hours of several nodes on a faulty store in seconds; a seed repeats them",
        run: simulate::simulate,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print!("{}", usage());
        return ExitCode::FAILURE;
    };
    if ["help", "-h", "--help"].contains(&name.as_str()) {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("there is no command `{name}`\n\n{}", usage());
        return ExitCode::FAILURE;
    };
    match Workshop::open().and_then(|workshop| (command.run)(&workshop, rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("\nxtask {name}: {trouble}");
            ExitCode::FAILURE
        }
    }
}

/// The help text.
fn usage() -> String {
    let mut text = String::from("Usage: cargo xtask COMMAND\n\n");
    for Command {
        name,
        arguments,
        meaning,
        ..
    } in &COMMANDS
    {
        let call = format!("{name} {arguments}");
        text.push_str(&format!("  {call:<32} {meaning}\n"));
    }
    text.push_str("\nStart with `demo`. Before a change lands: `check`, then `test`.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, usage};

    #[test]
    fn the_help_names_every_command_and_fits_a_terminal() {
        let text = usage();
        for command in &COMMANDS {
            assert!(text.contains(command.name), "{}", command.name);
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 110),
            "{text}"
        );
    }
}
