//! n -> the n-th Fibonacci number, 0, 1, 1, 2, 3, ... from n = 0, in the slow way: a load of calls.

#![no_std]

extern crate alloc;

#[path = "../nebula.rs"]
mod nebula;

fn fibonacci(n: u64) -> u64 {
    match n {
        0 | 1 => n,
        _ => fibonacci(n - 1) + fibonacci(n - 2),
    }
}

fn main() {
    nebula::run(fibonacci);
}

nur::command!(main);
