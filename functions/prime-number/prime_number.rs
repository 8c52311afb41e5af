//! n -> the n-th prime, counted from 0: 2, 3, 5, 7, ...

#![no_std]

extern crate alloc;

#[path = "../nebula.rs"]
mod nebula;

fn prime(n: u64) -> u64 {
    let mut candidate = 2;
    for _ in 0..n {
        candidate += 1;
        while !is_prime(candidate) {
            candidate += 1;
        }
    }
    candidate
}

fn is_prime(n: u64) -> bool {
    if n < 4 {
        return n >= 2;
    }
    if n % 2 == 0 {
        return false;
    }
    let mut divisor = 3;
    while divisor * divisor <= n {
        if n % divisor == 0 {
            return false;
        }
        divisor += 2;
    }
    true
}

fn main() {
    nebula::run(prime);
}

nur::command!(main);
