//! System calls that no crate wraps without allocating: datagrams by the batch with their addresses
//! and times, real-time priority, an end shared with the parent process, and an allocator that can be told to refuse.

mod address;
pub mod alloc;
pub mod clock;
pub mod datagram;
pub mod disk;
pub mod packet;
pub mod process;
pub mod schedule;
pub mod watchdog;
