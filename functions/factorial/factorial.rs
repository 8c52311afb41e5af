//! n -> n!, modulo 2^128.

#![no_std]

extern crate alloc;

#[path = "../nebula.rs"]
mod nebula;

fn factorial(n: u128) -> u128 {
    // Behind 130 every product is 0: enough factors are even.
    (1..=n.min(130)).fold(1, u128::wrapping_mul)
}

fn main() {
    nebula::run(factorial);
}

nur::command!(main);
