//! Reads what zlib wrote (RFC 1950 and 1951).

use crate::{broken, Refusal};
use alloc::vec::Vec;

/// Bits, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Result<u32, Refusal> {
        while self.count < count {
            let Some(&byte) = self.bytes.get(self.at) else {
                return broken("the compressed data ends too early\n");
            };
            self.held |= u32::from(byte) << self.count;
            self.at += 1;
            self.count += 8;
        }
        let value = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        Ok(value)
    }

    /// The next whole byte begins what comes.
    fn align(&mut self) {
        self.held = 0;
        self.count = 0;
    }
}

const CODE_BITS_MAX: usize = 15;

/// A Huffman code: how many symbols have each length, and the symbols in the order of their codes.
struct Code {
    counts: [u16; CODE_BITS_MAX + 1],
    symbols: Vec<u16>,
}

impl Code {
    /// Length 0: the symbol is not used. A code may leave room only if it has one symbol or none.
    fn of(lengths: &[u8]) -> Result<Code, Refusal> {
        let mut counts = [0; CODE_BITS_MAX + 1];
        for &length in lengths {
            counts[usize::from(length)] += 1;
        }
        let used = lengths.len() - usize::from(counts[0]);
        counts[0] = 0;
        let mut room = 1i32;
        for count in &counts[1..] {
            room = room * 2 - i32::from(*count);
            if room < 0 {
                return broken("a Huffman code has too many symbols\n");
            }
        }
        if room > 0 && used > 1 {
            return broken("a Huffman code has too few symbols\n");
        }
        let mut next = [0usize; CODE_BITS_MAX + 2];
        for length in 1..=CODE_BITS_MAX {
            next[length + 1] = next[length] + usize::from(counts[length]);
        }
        let mut symbols = alloc::vec![0; used];
        for (symbol, &length) in lengths.iter().enumerate() {
            if length > 0 {
                symbols[next[usize::from(length)]] = symbol as u16;
                next[usize::from(length)] += 1;
            }
        }
        Ok(Code { counts, symbols })
    }

    fn symbol(&self, bits: &mut Bits) -> Result<usize, Refusal> {
        let (mut code, mut first, mut index) = (0i32, 0i32, 0i32);
        for length in 1..=CODE_BITS_MAX {
            code |= bits.take(1)? as i32;
            let count = i32::from(self.counts[length]);
            if code - count < first {
                return Ok(usize::from(self.symbols[(index + code - first) as usize]));
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        broken("a code that no symbol has\n")
    }
}

const LENGTH_BASES: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
];
const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];

/// The first distance of a distance symbol, and how many bits are added.
pub fn distance_of(symbol: usize) -> (usize, u32) {
    if symbol < 2 {
        return (symbol + 1, 0);
    }
    let extra = symbol as u32 / 2 - 1;
    (((2 + symbol % 2) << extra) + 1, extra)
}

/// The bytes behind zlib's header, exactly `length` of them, with their checksum compared.
pub fn inflate(zlib: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
    let &[method, flags, ref deflated @ ..] = zlib else {
        return broken("the compressed data ends too early\n");
    };
    let header = u16::from_be_bytes([method, flags]);
    if method & 15 != 8 || method >> 4 > 7 || header % 31 != 0 || flags & 32 != 0 {
        return broken("the compressed data is none of zlib's\n");
    }
    let mut bits = Bits {
        bytes: deflated,
        at: 0,
        held: 0,
        count: 0,
    };
    let mut out = Vec::with_capacity(length);
    loop {
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, &mut out, length)?,
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                let distances = Code::of(&[5; 32])?;
                compressed(
                    &mut bits,
                    &Code::of(&lengths)?,
                    &distances,
                    &mut out,
                    length,
                )?;
            }
            2 => {
                let (literals, distances) = read_codes(&mut bits)?;
                compressed(&mut bits, &literals, &distances, &mut out, length)?;
            }
            _ => return broken("a block of an unknown kind\n"),
        }
        if last {
            break;
        }
    }
    if out.len() != length {
        return broken("the picture's data ends too early\n");
    }
    bits.align();
    let checksum = bits.bytes.get(bits.at..bits.at + 4);
    if checksum != Some(&adler32(&out).to_be_bytes()[..]) {
        return broken("the compressed data's checksum is wrong\n");
    }
    Ok(out)
}

fn stored(bits: &mut Bits, out: &mut Vec<u8>, length_max: usize) -> Result<(), Refusal> {
    bits.align();
    let Some(&[a, b, c, d]) = bits.bytes.get(bits.at..bits.at + 4) else {
        return broken("the compressed data ends too early\n");
    };
    let length = u16::from_le_bytes([a, b]);
    if length != !u16::from_le_bytes([c, d]) {
        return broken("a stored block's length is wrong\n");
    }
    let begin = bits.at + 4;
    let Some(bytes) = bits.bytes.get(begin..begin + usize::from(length)) else {
        return broken("the compressed data ends too early\n");
    };
    if out.len() + bytes.len() > length_max {
        return broken("the picture has more data than pixels\n");
    }
    out.extend_from_slice(bytes);
    bits.at = begin + bytes.len();
    Ok(())
}

/// The codes of a block that brings its own.
fn read_codes(bits: &mut Bits) -> Result<(Code, Code), Refusal> {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let literals = bits.take(5)? as usize + 257;
    let distances = bits.take(5)? as usize + 1;
    let count = bits.take(4)? as usize + 4;
    if literals > 286 || distances > 30 {
        return broken("too many symbols\n");
    }
    let mut lengths = [0u8; 19];
    for &symbol in &ORDER[..count] {
        lengths[symbol] = bits.take(3)? as u8;
    }
    let code = Code::of(&lengths)?;
    let mut lengths = [0u8; 286 + 30];
    let total = literals + distances;
    let mut at = 0;
    while at < total {
        let symbol = code.symbol(bits)?;
        let (value, times) = match symbol {
            0..=15 => (symbol as u8, 1),
            16 if at == 0 => return broken("nothing to repeat\n"),
            16 => (lengths[at - 1], 3 + bits.take(2)? as usize),
            17 => (0, 3 + bits.take(3)? as usize),
            _ => (0, 11 + bits.take(7)? as usize),
        };
        if at + times > total {
            return broken("too many code lengths\n");
        }
        lengths[at..at + times].fill(value);
        at += times;
    }
    if lengths[256] == 0 {
        return broken("a block that cannot end\n");
    }
    Ok((
        Code::of(&lengths[..literals])?,
        Code::of(&lengths[literals..total])?,
    ))
}

fn compressed(
    bits: &mut Bits,
    literals: &Code,
    distances: &Code,
    out: &mut Vec<u8>,
    length_max: usize,
) -> Result<(), Refusal> {
    loop {
        let symbol = literals.symbol(bits)?;
        let length = match symbol {
            0..=255 => {
                if out.len() == length_max {
                    return broken("the picture has more data than pixels\n");
                }
                out.push(symbol as u8);
                continue;
            }
            256 => return Ok(()),
            257..=285 => {
                let extra = bits.take(u32::from(LENGTH_EXTRA[symbol - 257]))?;
                usize::from(LENGTH_BASES[symbol - 257]) + extra as usize
            }
            _ => return broken("a length that does not exist\n"),
        };
        let symbol = distances.symbol(bits)?;
        if symbol > 29 {
            return broken("a distance that does not exist\n");
        }
        let (base, extra) = distance_of(symbol);
        let distance = base + bits.take(extra)? as usize;
        if distance > out.len() {
            return broken("a distance beyond the beginning\n");
        }
        if out.len() + length > length_max {
            return broken("the picture has more data than pixels\n");
        }
        for _ in 0..length {
            out.push(out[out.len() - distance]);
        }
    }
}

pub fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    // So many sums stay below 2^32.
    for chunk in bytes.chunks(5552) {
        for &byte in chunk {
            a += u32::from(byte);
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    b << 16 | a
}
