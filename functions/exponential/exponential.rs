//! x -> e^x, with as many digits as it takes to read the same number back.

#![no_std]

extern crate alloc;

#[path = "../nebula.rs"]
mod nebula;

extern "C" {
    fn exp(x: f64) -> f64;
}

/// A number in the form that has an exponent where there would be many zeros.
struct Number(f64);

impl core::fmt::Display for Number {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(to, "{:?}", self.0)
    }
}

fn main() {
    nebula::run(|x: f64| Number(unsafe { exp(x) }));
}

nur::command!(main);
