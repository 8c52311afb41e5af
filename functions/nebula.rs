//! What the commands that Nebula has (fibonacci, factorial and others) have in common: one line of
//! input, parsed and given to a function, whose result is printed. Input that does not parse ends
//! the command with a trap, as a panic does there.

// Not every command has use for all of this.
#![allow(dead_code)]

use core::fmt::{Debug, Display};
use core::str::FromStr;
use nur::command::{print, read_input};

const INPUT_BYTES_MAX: usize = 4096;

/// The first line without the white space around it.
pub fn line() -> alloc::string::String {
    let input = read_input(INPUT_BYTES_MAX).expect("To read the input");
    let text = core::str::from_utf8(&input).expect("To parse correctly");
    text.lines().next().unwrap_or_default().trim().into()
}

pub fn run<Input, Output>(function: impl Fn(Input) -> Output)
where
    Input: FromStr<Err: Debug>,
    Output: Display,
{
    let input = line().parse().expect("To parse correctly");
    print(alloc::format!("{}\n", function(input)));
}
