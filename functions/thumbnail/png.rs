//! PNG (ISO/IEC 15948) of 8 bits a sample: all five kinds of colour, all filters, transparency; not
//! interlaced. Written as RGBA, or RGB when nothing is transparent.

use crate::deflate::deflate;
use crate::inflate::inflate;
use crate::{broken, Refusal};
use alloc::vec::Vec;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
const PIXELS_MAX: usize = 4 << 20;

/// Red, green, blue, alpha.
type Pixel = [u8; 4];

enum Colours {
    Grey,
    Rgb,
    Palette(Vec<Pixel>),
    GreyAlpha,
    Rgba,
}

/// Rows as they are in a PNG, without filters, or pixels.
pub struct Picture {
    pub width: usize,
    pub height: usize,
    colours: Colours,
    /// The one value of grey, or of red, green and blue, that is transparent.
    transparent: Option<[u8; 3]>,
    samples: Vec<u8>,
}

impl Picture {
    pub fn of(width: usize, height: usize, pixels: Vec<Pixel>) -> Picture {
        Picture {
            width,
            height,
            colours: Colours::Rgba,
            transparent: None,
            samples: pixels.concat(),
        }
    }

    pub fn pixel(&self, x: usize, y: usize) -> Pixel {
        let size = self.colours.samples();
        let begin = (y * self.width + x) * size;
        let samples = &self.samples[begin..begin + size];
        let opaque = |colour: [u8; 3]| match self.transparent {
            Some(hidden) if hidden == colour => 0,
            _ => 255,
        };
        match (&self.colours, samples) {
            (Colours::Grey, &[grey]) => [grey, grey, grey, opaque([grey; 3])],
            (Colours::Rgb, &[red, green, blue]) => [red, green, blue, opaque([red, green, blue])],
            (Colours::Palette(entries), &[index]) => entries[usize::from(index)],
            (Colours::GreyAlpha, &[grey, alpha]) => [grey, grey, grey, alpha],
            (_, &[red, green, blue, alpha]) => [red, green, blue, alpha],
            _ => [0; 4],
        }
    }
}

impl Colours {
    fn samples(&self) -> usize {
        match self {
            Colours::Grey | Colours::Palette(_) => 1,
            Colours::GreyAlpha => 2,
            Colours::Rgb => 3,
            Colours::Rgba => 4,
        }
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// The chunks of a file, their checksums compared: kind and data.
struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    fn next(&mut self) -> Result<(&'a [u8], &'a [u8]), Refusal> {
        let whole = (|| {
            let length = number(self.0.get(..4)?);
            let end = length.checked_add(8).filter(|_| length < 1 << 31)?;
            let checksum = self.0.get(end..end.checked_add(4)?)?;
            Some((&self.0[4..8], &self.0[8..end], checksum, end + 4))
        })();
        let Some((kind, data, checksum, end)) = whole else {
            return broken("the file ends too early\n");
        };
        if crc32(&self.0[4..end - 4]).to_be_bytes() != checksum {
            return broken("a chunk's checksum is wrong\n");
        }
        self.0 = &self.0[end..];
        Ok((kind, data))
    }
}

pub fn decode(file: &[u8]) -> Result<Picture, Refusal> {
    let Some(rest) = file.strip_prefix(SIGNATURE) else {
        return Err(Refusal("415 Unsupported Media Type", "this is no PNG\n"));
    };
    let mut chunks = Chunks(rest);
    let (b"IHDR", &[ref sizes @ .., depth, kind, 0, 0, interlaced]) = chunks.next()? else {
        return broken("the file does not begin with a header of PNG\n");
    };
    if sizes.len() != 8 {
        return broken("the file does not begin with a header of PNG\n");
    }
    let (width, height) = (number(&sizes[..4]), number(&sizes[4..]));
    if width == 0 || height == 0 {
        return broken("the picture has no pixels\n");
    }
    if width
        .checked_mul(height)
        .is_none_or(|pixels| pixels > PIXELS_MAX)
    {
        return Err(Refusal(
            "413 Content Too Large",
            "a picture may have 4,194,304 pixels\n",
        ));
    }
    if depth != 8 || interlaced != 0 {
        return Err(Refusal(
            "415 Unsupported Media Type",
            "only PNGs of 8 bits a sample that are not interlaced\n",
        ));
    }
    let mut colours = match kind {
        0 => Colours::Grey,
        2 => Colours::Rgb,
        3 => Colours::Palette(Vec::new()),
        4 => Colours::GreyAlpha,
        6 => Colours::Rgba,
        _ => return broken("a kind of colour that does not exist\n"),
    };

    let mut transparent = None;
    let mut data = Vec::new();
    loop {
        match (chunks.next()?, &mut colours) {
            ((b"IEND", _), _) => break,
            ((b"IDAT", bytes), _) => data.extend_from_slice(bytes),
            ((b"PLTE", bytes), Colours::Palette(entries)) => {
                if bytes.is_empty() || bytes.len() > 768 || bytes.len() % 3 != 0 {
                    return broken("the palette is no list of colours\n");
                }
                *entries = bytes.chunks(3).map(|c| [c[0], c[1], c[2], 255]).collect();
            }
            ((b"tRNS", bytes), Colours::Palette(entries)) => {
                if bytes.len() > entries.len() {
                    return broken("more transparent colours than colours\n");
                }
                for (entry, &alpha) in entries.iter_mut().zip(bytes) {
                    entry[3] = alpha;
                }
            }
            ((b"tRNS", &[0, grey]), Colours::Grey) => transparent = Some([grey; 3]),
            ((b"tRNS", &[0, red, 0, green, 0, blue]), Colours::Rgb) => {
                transparent = Some([red, green, blue]);
            }
            // The others say nothing about pixels, unless they are critical (in capitals).
            ((kind, _), _) if kind[0].is_ascii_lowercase() || kind == b"PLTE" => {}
            _ => return broken("a part of the picture that is not understood\n"),
        }
    }

    let row_bytes = width * colours.samples();
    let mut samples = inflate(&data, height * (row_bytes + 1))?;
    unfilter(&mut samples, row_bytes, colours.samples())?;
    if let Colours::Palette(entries) = &colours {
        if samples
            .iter()
            .any(|&index| usize::from(index) >= entries.len())
        {
            return broken("a colour that the palette does not have\n");
        }
    }
    Ok(Picture {
        width,
        height,
        colours,
        transparent,
        samples,
    })
}

/// Takes back the filters of rows that begin with the number of theirs; the rows move together.
fn unfilter(data: &mut Vec<u8>, row_bytes: usize, step: usize) -> Result<(), Refusal> {
    let rows = data.len() / (row_bytes + 1);
    for row in 0..rows {
        let filter = data[row * (row_bytes + 1)];
        let (from, to) = (row * (row_bytes + 1) + 1, row * row_bytes);
        for i in 0..row_bytes {
            let left = if i >= step { data[to + i - step] } else { 0 };
            let (up, corner) = match row {
                0 => (0, 0),
                _ if i >= step => (data[to - row_bytes + i], data[to - row_bytes + i - step]),
                _ => (data[to - row_bytes + i], 0),
            };
            let guess = match filter {
                0 => 0,
                1 => left,
                2 => up,
                3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
                4 => paeth(left, up, corner),
                _ => return broken("a filter that does not exist\n"),
            };
            data[to + i] = data[from + i].wrapping_add(guess);
        }
    }
    data.truncate(rows * row_bytes);
    Ok(())
}

/// The neighbour that is nearest to left + up - corner.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, up, corner].map(i32::from);
    let guess = a + b - c;
    let distance = |value: i32| (guess - value).abs();
    if distance(a) <= distance(b) && distance(a) <= distance(c) {
        left
    } else if distance(b) <= distance(c) {
        up
    } else {
        corner
    }
}

pub fn encode(picture: &Picture) -> Vec<u8> {
    let (width, height) = (picture.width, picture.height);
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let opaque = places.clone().all(|(x, y)| picture.pixel(x, y)[3] == 255);
    let step = if opaque { 3 } else { 4 };

    let row_bytes = width * step;
    let mut samples = Vec::with_capacity(row_bytes * height);
    for (x, y) in places {
        samples.extend_from_slice(&picture.pixel(x, y)[..step]);
    }
    let mut file = SIGNATURE.to_vec();
    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    header.extend([8, if opaque { 2 } else { 6 }, 0, 0, 0]);
    append_chunk(&mut file, b"IHDR", &header);
    append_chunk(
        &mut file,
        b"IDAT",
        &deflate(&filtered(&samples, row_bytes, step)),
    );
    append_chunk(&mut file, b"IEND", &[]);
    file
}

/// Every row with the filter whose results are smallest, as the standard advises.
fn filtered(samples: &[u8], row_bytes: usize, step: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(samples.len() + samples.len() / row_bytes);
    let zeros = alloc::vec![0; row_bytes];
    let mut above: &[u8] = &zeros;
    for row in samples.chunks(row_bytes) {
        let apply = |filter: u8, i: usize| {
            let (left, corner) = match i.checked_sub(step) {
                Some(before) => (row[before], above[before]),
                None => (0, 0),
            };
            row[i].wrapping_sub(match filter {
                0 => 0,
                1 => left,
                2 => above[i],
                3 => ((u16::from(left) + u16::from(above[i])) / 2) as u8,
                _ => paeth(left, above[i], corner),
            })
        };
        let cost = |filter: u8| -> u32 {
            (0..row_bytes)
                .map(|i| u32::from((apply(filter, i) as i8).unsigned_abs()))
                .sum()
        };
        let filter = (0..5).min_by_key(|&filter| cost(filter)).unwrap_or(0);
        data.push(filter);
        data.extend((0..row_bytes).map(|i| apply(filter, i)));
        above = row;
    }
    data
}

fn append_chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let begin = file.len();
    file.extend_from_slice(kind);
    file.extend_from_slice(data);
    let checksum = crc32(&file[begin..]);
    file.extend(checksum.to_be_bytes());
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut value = i as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                0xedb8_8320 ^ (value >> 1)
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
};

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        CRC_TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8)
    })
}
