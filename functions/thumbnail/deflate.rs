//! Writes what zlib reads: one block with the fixed code, repetitions found by a table of the last
//! place of every three bytes and of the places before it.

use crate::inflate::{adler32, distance_of};
use alloc::vec::Vec;

const WINDOW: usize = 32768;
const LENGTH_MIN: usize = 3;
const LENGTH_MAX: usize = 258;
/// Places that are tried for each.
const TRIES: usize = 32;
const NOWHERE: u32 = u32::MAX;

struct Writer {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Writer {
    /// The lowest bit first.
    fn put(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// A Huffman code: its highest bit first.
    fn put_code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    fn put_symbol(&mut self, symbol: u32) {
        match symbol {
            0..=143 => self.put_code(0x30 + symbol, 8),
            144..=255 => self.put_code(0x190 + symbol - 144, 9),
            256..=279 => self.put_code(symbol - 256, 7),
            _ => self.put_code(0xc0 + symbol - 280, 8),
        }
    }

    fn put_repetition(&mut self, length: usize, distance: usize) {
        // The lengths of one symbol: 1 each up to 10, then 2, 4, ... for every four symbols.
        let (symbol, base, extra) = match length {
            LENGTH_MAX => (285, LENGTH_MAX, 0),
            3..=10 => (254 + length, length, 0),
            _ => {
                let extra = (length - 3).ilog2() - 2;
                let step = (length - 3) >> extra;
                (
                    261 + 4 * extra as usize + step - 4,
                    (step << extra) + 3,
                    extra,
                )
            }
        };
        self.put_symbol(symbol as u32);
        self.put((length - base) as u32, extra);
        let symbol = (0..30)
            .rev()
            .find(|&symbol| distance_of(symbol).0 <= distance)
            .unwrap_or_default();
        let (base, extra) = distance_of(symbol);
        self.put_code(symbol as u32, 5);
        self.put((distance - base) as u32, extra);
    }
}

fn hash(bytes: &[u8]) -> usize {
    let three = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
    (three.wrapping_mul(0x9e37_79b1) >> 17) as usize
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut writer = Writer {
        bytes: alloc::vec![0x78, 0x9c],
        held: 0,
        count: 0,
    };
    writer.put(1, 1); // the last block
    writer.put(1, 2); // with the fixed code
    let mut last = alloc::vec![NOWHERE; 1 << 15];
    let mut before = alloc::vec![NOWHERE; WINDOW];
    let mut at = 0;
    while at < bytes.len() {
        let (length, distance) = longest(bytes, at, &last, &before);
        let step = if length >= LENGTH_MIN {
            writer.put_repetition(length, distance);
            length
        } else {
            writer.put_symbol(u32::from(bytes[at]));
            1
        };
        for place in at..at + step {
            if place + LENGTH_MIN <= bytes.len() {
                let slot = hash(&bytes[place..]);
                before[place % WINDOW] = last[slot];
                last[slot] = place as u32;
            }
        }
        at += step;
    }
    writer.put_symbol(256);
    writer.put(0, 7); // the rest of the last byte
    writer.bytes.extend(adler32(bytes).to_be_bytes());
    writer.bytes
}

/// The longest repetition of what came before: its length and distance.
fn longest(bytes: &[u8], at: usize, last: &[u32], before: &[u32]) -> (usize, usize) {
    let length_max = LENGTH_MAX.min(bytes.len() - at);
    let mut best = (0, 0);
    if length_max < LENGTH_MIN {
        return best;
    }
    let mut place = last[hash(&bytes[at..])];
    for _ in 0..TRIES {
        if place == NOWHERE || at - place as usize > WINDOW - 1 {
            break;
        }
        let from = place as usize;
        let length = (0..length_max)
            .take_while(|&i| bytes[from + i] == bytes[at + i])
            .count();
        if length > best.0 {
            best = (length, at - from);
        }
        let next = before[from % WINDOW];
        // The table is written over after a window; what is newer than its successor is of later.
        if next != NOWHERE && next >= place {
            break;
        }
        place = next;
    }
    best
}
