//! n -> the first n Fibonacci numbers as a list; modulo 2^64. What is no number counts as 1.

#![no_std]

extern crate alloc;

#[path = "../nebula.rs"]
mod nebula;

use alloc::vec::Vec;

fn main() {
    let count: u64 = nebula::line().parse().unwrap_or_else(|_| {
        nur::command::print("Expected a number, got something else! Defaulting to 1\n");
        1
    });
    let mut numbers: Vec<u64> = Vec::new();
    let (mut current, mut next) = (0u64, 1);
    for _ in 0..count {
        numbers.push(current);
        (current, next) = (next, current.wrapping_add(next));
    }
    nur::command::print(alloc::format!("{numbers:?}\n"));
}

nur::command!(main);
