//! Allocators that watch.
//!
//! One refuses where it was told to: it proves that the media tick allocates nothing. A debug build
//! installs [`Guarded`] and wraps each turn of the media thread in [`forbidden`]. Within it, allocating
//! or freeing aborts the process with a message. Release builds don't install it.
//!
//! The other, [`Counting`], is for the bench: it counts what its thread takes, see [`counted`].

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

thread_local! {
    static FORBIDDEN: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator with a guard before it.
#[derive(Debug)]
pub struct Guarded;

/// The system's allocator with a counter before it.
#[derive(Debug)]
pub struct Counting;

/// What a thread has taken since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Blocks taken, and those that grew or shrank.
    pub allocations: u64,
    /// Bytes taken and not given back. Below zero where other threads' blocks were freed.
    pub live_bytes: i64,
}

thread_local! {
    static COUNTED: Cell<Counted> = const { Cell::new(Counted { allocations: 0, live_bytes: 0 }) };
}

/// What this thread has taken so far, where [`Counting`] is installed.
#[must_use]
pub fn counted() -> Counted {
    COUNTED.with(Cell::get)
}

fn count(allocations: u64, taken: usize, given: usize) {
    let signed = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
    // A thread whose locals are gone already is at its end: nobody asks it any more.
    let _at_end = COUNTED.try_with(|counted| {
        let mut now = counted.get();
        now.allocations += allocations;
        now.live_bytes += signed(taken) - signed(given);
        counted.set(now);
    });
}

/// Runs `work`, in which this thread neither allocates nor frees.
pub fn forbidden<T>(work: impl FnOnce() -> T) -> T {
    FORBIDDEN.with(|flag| flag.set(true));
    let result = work();
    FORBIDDEN.with(|flag| flag.set(false));
    result
}

fn check() {
    // A thread whose locals are gone already is not the media thread at work.
    if FORBIDDEN.try_with(Cell::get).unwrap_or(false) {
        // The message itself must not allocate.
        let text = b"the media thread allocated or freed memory: aborting\n";
        // SAFETY: text is live and of the length stated; a short write does no harm.
        unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
        std::process::abort();
    }
}

// SAFETY: every method hands its arguments to the system's allocator as they are.
unsafe impl GlobalAlloc for Guarded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check();
        // SAFETY: the caller keeps the contract of GlobalAlloc.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        check();
        // SAFETY: the caller keeps the contract of GlobalAlloc.
        unsafe { System.dealloc(pointer, layout) };
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        check();
        // SAFETY: the caller keeps the contract of GlobalAlloc.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        check();
        // SAFETY: the caller keeps the contract of GlobalAlloc.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

// SAFETY: every method hands its arguments to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: the caller keeps the contract of GlobalAlloc.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: the caller keeps the contract of GlobalAlloc.
        unsafe { System.dealloc(pointer, layout) };
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: the caller keeps the contract of GlobalAlloc.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(1, new_size, layout.size());
        // SAFETY: the caller keeps the contract of GlobalAlloc.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
