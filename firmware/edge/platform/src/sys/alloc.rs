//! An allocator that refuses where it was told to: it proves that the media tick allocates nothing.
//!
//! A debug build installs [`Guarded`] and wraps each turn of the media thread in [`forbidden`]. Within
//! it, allocating or freeing aborts the process with a message. Release builds don't install it.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

thread_local! {
    static FORBIDDEN: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator with a guard before it.
#[derive(Debug)]
pub struct Guarded;

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
