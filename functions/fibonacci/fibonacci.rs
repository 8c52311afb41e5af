//! n -> the n-th Fibonacci number, counted 0, 0, 1, 1, 2, 3, ... from n = 0; modulo 2^64.

#![no_std]

extern crate alloc;

#[path = "../nebula.rs"]
mod nebula;

fn fibonacci(n: u64) -> u64 {
    let (mut current, mut next) = (0u64, 1);
    for _ in 1..n {
        (current, next) = (next, current.wrapping_add(next));
    }
    current
}

fn main() {
    nebula::run(fibonacci);
}

nur::command!(main);
