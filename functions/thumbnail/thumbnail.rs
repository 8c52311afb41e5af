//! A PNG in, a smaller PNG out, at most `size` pixels (128 unless the query says `size=N`) in both
//! directions. Pictures that are small enough already keep their size.
//!
//! ```text
//!   PNG --png.rs, inflate.rs--> pixels --here--> fewer pixels --png.rs, deflate.rs--> PNG
//! ```

#![no_std]

extern crate alloc;

mod deflate;
mod inflate;
mod png;

use alloc::format;
use alloc::vec::Vec;
use nur::command::{print, read_input, variable};
use png::Picture;

const INPUT_BYTES_MAX: usize = 8 << 20;
const SIZE_MAX: usize = 1024;
const SIZE: usize = 128;

/// What the client is told.
pub struct Refusal(pub &'static str, pub &'static str);

/// No picture, or one that breaks its own rules.
pub fn broken<T>(why: &'static str) -> Result<T, Refusal> {
    Err(Refusal("400 Bad Request", why))
}

/// Width and height that fit into a square, with the same proportions.
fn fitted(width: usize, height: usize, size: usize) -> (usize, usize) {
    let longer = width.max(height);
    if longer <= size {
        return (width, height);
    }
    (
        (width * size / longer).max(1),
        (height * size / longer).max(1),
    )
}

/// Every new pixel is the mean of those it covers; colours count by how opaque they are.
fn shrink(picture: &Picture, width: usize, height: usize) -> Picture {
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        let rows = covered(y, height, picture.height);
        for x in 0..width {
            let columns = covered(x, width, picture.width);
            let mut sum = [0u64; 4];
            for row in rows.clone() {
                for column in columns.clone() {
                    let [red, green, blue, alpha] = picture.pixel(column, row).map(u64::from);
                    sum[0] += red * alpha;
                    sum[1] += green * alpha;
                    sum[2] += blue * alpha;
                    sum[3] += alpha;
                }
            }
            let count = (rows.len() * columns.len()) as u64;
            let mean = |sum: u64, of: u64| ((sum + of / 2) / of.max(1)) as u8;
            pixels.push([
                mean(sum[0], sum[3]),
                mean(sum[1], sum[3]),
                mean(sum[2], sum[3]),
                mean(sum[3], count),
            ]);
        }
    }
    Picture::of(width, height, pixels)
}

fn covered(at: usize, new: usize, old: usize) -> core::ops::Range<usize> {
    let (begin, end) = (at * old / new, (at + 1) * old / new);
    begin..end.max(begin + 1)
}

fn size_asked() -> Result<usize, Refusal> {
    let query = variable("QUERY_STRING").unwrap_or_default();
    let asked = query.split('&').find_map(|part| part.strip_prefix("size="));
    match asked.map(str::parse) {
        None => Ok(SIZE),
        Some(Ok(size)) if (1..=SIZE_MAX).contains(&size) => Ok(size),
        Some(_) => broken("size is a number from 1 to 1024\n"),
    }
}

fn answer() -> Result<Vec<u8>, Refusal> {
    let size = size_asked()?;
    let input = read_input(INPUT_BYTES_MAX).ok_or(Refusal(
        "413 Content Too Large",
        "a picture may have 8 MiB\n",
    ))?;
    let picture = png::decode(&input)?;
    let (width, height) = fitted(picture.width, picture.height, size);
    Ok(png::encode(&shrink(&picture, width, height)))
}

fn main() {
    match answer() {
        Ok(thumbnail) => {
            print("Content-Type: image/png\n\n");
            print(thumbnail);
        }
        Err(Refusal(status, why)) => print(format!(
            "Status: {status}\nContent-Type: text/plain\n\n{why}"
        )),
    }
}

nur::command!(main);
