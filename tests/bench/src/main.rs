//! What the exchange costs, as a table.
//!
//! `bench` runs everything, in some three minutes; `bench switch 10000`, `bench calls 500 60` and the
//! like run one part; `BENCH_PBXD=path` has it use another `pbxd` than the one beside it. It tells and
//! never judges: numbers depend on the machine.

mod cost;
mod load;
mod media;
mod micro;
mod routes;
mod sample;
mod switch;
mod table;

use anyhow::Result;
use clap::{Parser, Subcommand};
use platform::sys::alloc::Counting;

use load::runs;
use table::print;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Messages, session descriptions, digest.
    Micro,
    /// Where calls go, with thousands of numbers and routes.
    Routes,
    /// Registrations and calls through the switch, without sockets.
    Switch {
        #[arg(default_value_t = CALLS)]
        calls: u32,
    },
    /// The media graph, without sockets.
    Media,
    /// Registrations with digest.
    Registrations { count: u32, per_second: u32 },
    /// Calls set up and cleared at a rate.
    Calls { per_second: u32, seconds: u64 },
    /// Sound of calls passed on.
    Relayed { calls: u32, seconds: u64 },
    /// Memory over many calls.
    Memory { calls: u32, per_second: u32 },
    /// More calls than it can take.
    Overload { rates: Vec<u32> },
}

/// Calls through the switch.
const CALLS: u32 = 10_000;

fn main() -> Result<()> {
    match Options::parse().part {
        Some(Part::Micro) => print(&micro::run()?),
        Some(Part::Switch { calls }) => print(&switch::run(calls)?),
        Some(Part::Routes) => print(&routes::run()?),
        Some(Part::Media) => print(&media::run()?),
        Some(Part::Registrations { count, per_second }) => {
            print(&runs::registrations(count, per_second)?);
        }
        Some(Part::Calls {
            per_second,
            seconds,
        }) => print(&runs::calls(per_second, seconds)?),
        Some(Part::Relayed { calls, seconds }) => print(&runs::relayed(calls, seconds)?),
        Some(Part::Memory { calls, per_second }) => print(&runs::memory(calls, per_second)?),
        Some(Part::Overload { rates }) => print(&runs::overload(&rates, 10)?),
        None => {
            print(&micro::run()?);
            print(&media::run()?);
            print(&routes::run()?);
            print(&switch::run(CALLS)?);
            print(&runs::registrations(5000, 1000)?);
            print(&runs::calls(250, 15)?);
            print(&runs::calls(500, 20)?);
            print(&runs::relayed(100, 15)?);
            print(&runs::relayed(400, 15)?);
            print(&runs::overload(&[2000, 4000], 8)?);
        }
    }
    Ok(())
}
