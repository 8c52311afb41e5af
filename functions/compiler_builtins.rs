//! The crate every other one is linked with: what the code generator may call without being asked.
//!
//! Its real sources are not in every release of Debian's source package. With bulk memory
//! instructions little is left of it; a guest that divides 128-bit numbers needs more than this.

#![allow(internal_features)]
#![feature(compiler_builtins)]
#![compiler_builtins]
#![no_builtins] // or these loops would become calls of themselves
#![no_std]

#[no_mangle]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    let mut i = 0;
    while i < length {
        *to.wrapping_add(i) = *from.wrapping_add(i);
        i += 1;
    }
    to
}

#[no_mangle]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    if (to as usize) <= (from as usize) {
        return memcpy(to, from, length);
    }
    let mut i = length;
    while i > 0 {
        i -= 1;
        *to.wrapping_add(i) = *from.wrapping_add(i);
    }
    to
}

#[no_mangle]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    let mut i = 0;
    while i < length {
        *to.wrapping_add(i) = byte as u8;
        i += 1;
    }
    to
}

#[no_mangle]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    let mut i = 0;
    while i < length {
        let (a, b) = (*left.wrapping_add(i), *right.wrapping_add(i));
        if a != b {
            return a as i32 - b as i32;
        }
        i += 1;
    }
    0
}
