//! Open files: what the configured limits take, and what is left of them where the system gives less.
//!
//! Running out of them in the middle of the work would hit whatever comes next: a call, a connection, the
//! history. So it is settled once, at the start.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use sip::endpoint::STREAMS;
use tracing::warn;

/// Sockets of a call: RTP and RTCP for each party.
const OF_A_CALL: u64 = 4;

/// Beside calls and connections: sockets that SIP listens on, the databases and their journals, the control
/// socket with those who ask, threads' pipes. Fewer than 60 in practice.
const OTHERS: u64 = 256;

/// Connections that the endpoint does not know yet or any more, for each four that it does.
const PASSING: usize = 4;

/// Connections at least, where calls are to make room for them.
const LEAST_STREAMS: u64 = 64;

/// What the files suffice for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Files {
    /// Calls at once.
    pub calls: u16,
    /// Connections of phones that may stay.
    pub streams: usize,
}

impl Files {
    /// Raises the limit of open files to what so many calls take, or says what there will be less of.
    pub fn provide(calls: u16) -> Self {
        let wanted = Self {
            calls,
            streams: STREAMS,
        };
        let need = wanted.need();
        let limit = raise(need);
        let files = Self::within(limit, calls);
        if files != wanted {
            warn!(
                files = limit,
                needed = need,
                calls = files.calls,
                connections = files.streams,
                "fewer calls or connections at once than wished: the system allows too few open files"
            );
        }
        files
    }

    /// All connections, those that come and go too.
    pub const fn connections(self) -> usize {
        self.streams + self.streams.div_ceil(PASSING)
    }

    /// Calls come first; what is left is for connections.
    fn within(limit: u64, calls: u16) -> Self {
        let free = limit.saturating_sub(OTHERS);
        let least = LEAST_STREAMS + LEAST_STREAMS.div_ceil(PASSING as u64);
        let calls = u64::from(calls).min(free.saturating_sub(least) / OF_A_CALL);
        let left = free.saturating_sub(calls * OF_A_CALL);
        let streams = left - left.div_ceil(PASSING as u64 + 1);
        Self {
            calls: u16::try_from(calls).unwrap_or(u16::MAX),
            streams: usize::try_from(streams).unwrap_or(STREAMS).min(STREAMS),
        }
    }

    fn need(self) -> u64 {
        u64::from(self.calls) * OF_A_CALL + self.connections() as u64 + OTHERS
    }
}

/// Raises the limit as far as it may be, beyond that where it has to be; returns where it is.
fn raise(need: u64) -> u64 {
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => {
            warn!(%error, "the limit of open files is not known");
            return RLIM_INFINITY;
        }
    };
    // Only a privileged process may raise the hard one.
    if hard < need && setrlimit(Resource::RLIMIT_NOFILE, need, need).is_ok() {
        return need;
    }
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(error) => {
            warn!(%error, "the limit of open files can't be raised");
            soft
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_are_enough_files_nothing_is_less() {
        let all = Files {
            calls: 500,
            streams: STREAMS,
        };
        assert_eq!(all.connections(), 5120);
        assert_eq!(all.need(), 2000 + 5120 + 256);
        assert_eq!(Files::within(all.need(), 500), all);
        assert_eq!(Files::within(RLIM_INFINITY, 500), all);
    }

    #[test]
    fn calls_come_before_connections_and_all_fits() {
        for calls in [1, 10, 100, 500, 4000, u16::MAX] {
            for limit in 0..10_000 {
                let files = Files::within(limit, calls);
                assert!(files.need() <= limit.max(OTHERS), "{limit}: {files:?}");
                assert!(files.calls == calls || files.streams <= LEAST_STREAMS as usize + 3);
            }
        }
        let of_1024 = Files {
            calls: 172,
            streams: 64,
        };
        assert_eq!(Files::within(1024, 500), of_1024);
        let of_4096 = Files {
            calls: 500,
            streams: 1472,
        };
        assert_eq!(Files::within(4096, 500), of_4096);
    }
}
