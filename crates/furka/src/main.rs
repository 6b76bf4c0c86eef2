//! `furka`: an identity provider with strong authentication, in one program.

mod cli;
mod commands;
mod config;
mod demo;
mod failure;
mod installation;
mod key_file;
mod print;
mod resources;

fn main() -> std::process::ExitCode {
    cli::run()
}
