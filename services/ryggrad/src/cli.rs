//! The commands and their help.

use clap::{Parser, Subcommand};

use crate::exit::{CODES, Exit};
use crate::{
    bench, clock, deadlines, demo, import, listen, parked, replay, serve, simulate, tail, token, trigger, up, verify,
};

const EXAMPLES: &str = "\
Examples:
  ryggrad up                          start everything, with a sample population
  ryggrad tail                        follow what happens
  ryggrad demo                        a club from the first idea to Frivillighetsregisteret
  ryggrad import brreg enheter.json.gz frivillige.json
  ryggrad verify                      prove that log, stream and views agree";

/// The event-sourced backbone of the life event "starte og drive en frivillig organisasjon".
#[derive(Debug, Parser)]
#[command(name = "ryggrad", version, after_help = format!("{EXAMPLES}\n\n{CODES}"), arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "it is read once a process")]
enum Command {
    /// Start everything on this machine: PostgreSQL, NATS and every role, in one process.
    #[command(after_help = format!("{}\n\n{CODES}", up::EXAMPLES))]
    Up(up::Args),
    /// Run one role, for production.
    #[command(after_help = format!("{}\n\n{CODES}", serve::EXAMPLES))]
    Serve(serve::Args),
    /// Read the registers' own files into the log, exactly once however often it is run.
    #[command(after_help = format!("{}\n\n{CODES}", import::EXAMPLES))]
    Import(import::Args),
    /// Write files as the registers would, with a made-up population.
    #[command(after_help = format!("{}\n\n{CODES}", simulate::EXAMPLES))]
    Simulate(simulate::Args),
    /// Follow the stream in the terminal, for people or as one JSON object a line.
    #[command(after_help = format!("{}\n\n{CODES}", tail::EXAMPLES))]
    Tail(tail::Args),
    /// Build a view anew from the log while the old one serves.
    #[command(after_help = format!("{}\n\n{CODES}", replay::EXAMPLES))]
    Replay(replay::Args),
    /// Prove that the log is whole, the stream equals it and the views are its folds.
    #[command(after_help = format!("{}\n\n{CODES}", verify::EXAMPLES))]
    Verify(verify::Args),
    /// Show the business clock, or move a simulated one.
    #[command(after_help = format!("{}\n\n{CODES}", clock::EXAMPLES))]
    Clock(clock::Args),
    /// List what a consumer has set aside, and let it go on.
    #[command(after_help = format!("{}\n\n{CODES}", parked::EXAMPLES))]
    Parked(parked::Args),
    /// List the commands that fall due, and those among them that fail.
    #[command(after_help = format!("{}\n\n{CODES}", deadlines::EXAMPLES))]
    Deadlines(deadlines::Args),
    /// Print a token of the development issuer, to ask as somebody.
    #[command(after_help = format!("{}\n\n{CODES}", token::EXAMPLES))]
    Token(token::Args),
    /// Show a club on its way from the first idea to Frivillighetsregisteret.
    #[command(after_help = format!("{}\n\n{CODES}", demo::EXAMPLES))]
    Demo(demo::Args),
    /// Forward events to a receiver under development, signed as webhooks are.
    #[command(after_help = format!("{}\n\n{CODES}", listen::EXAMPLES))]
    Listen(listen::Args),
    /// Make something happen, for those who build a receiver: a registration, a dissolution, a whole life.
    #[command(after_help = format!("{}\n\n{CODES}", trigger::EXAMPLES))]
    Trigger(trigger::Args),
    /// Measure how fast the spine is here, beside stock cqrs-es and postgres-es.
    #[command(after_help = format!("{}\n\n{CODES}", bench::EXAMPLES))]
    Bench(bench::Args),
}

// === impl Cli ===

impl Cli {
    /// Whether it runs roles, for as long as nobody ends it.
    pub(crate) fn runs_roles(&self) -> bool {
        matches!(self.command, Command::Up(_) | Command::Serve(_))
    }

    /// Carries the command out.
    ///
    /// # Errors
    /// Whatever stood in its way, with its causes.
    pub async fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Up(args) => up::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Import(args) => import::run(args).await,
            Command::Simulate(args) => simulate::run(args).await,
            Command::Tail(args) => tail::run(args).await,
            Command::Replay(args) => replay::run(args).await,
            Command::Verify(args) => verify::run(args).await,
            Command::Clock(args) => clock::run(args).await,
            Command::Parked(args) => parked::run(args).await,
            Command::Deadlines(args) => deadlines::run(args).await,
            Command::Token(args) => token::run(&args),
            Command::Demo(args) => demo::run(args).await,
            Command::Listen(args) => listen::run(args).await,
            Command::Trigger(args) => trigger::run(args).await,
            Command::Bench(args) => bench::run(args).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_is_well_formed_and_has_an_example() {
        let mut cli = Cli::command();
        cli.build();
        cli.clone().debug_assert();
        for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("ryggrad "), "{} has no example", command.get_name());
        }
    }
}
