//! "3,4" -> 7: two whole numbers added. The sum wraps around at 64 bits.

#![no_std]

extern crate alloc;

#[path = "../nebula.rs"]
mod nebula;

fn main() {
    let line = nebula::line();
    let numbers = line
        .split_once(',')
        .and_then(|(left, right)| Some((number(left)?, number(right)?)));
    nur::command::print(match numbers {
        Some((left, right)) => alloc::format!("{}\n", left.wrapping_add(right)),
        None => "Wrong input, expected 2 numbers separated by a comma!\n".into(),
    });
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

nur::command!(main);
