#!/usr/bin/env python3
"""thumbnails.py URL: pictures of all kinds go to the function thumbnail; what comes back is compared with
means computed here. Then pictures that are broken in every way, of which none may get anything but a
refusal with a reason."""

import http.client
import random
import struct
import sys
import urllib.parse
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width, height, kind, depth=8, interlaced=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))


def paeth(a, b, c):
    guess = a + b - c
    return min((abs(guess - a), 0, a), (abs(guess - b), 1, b), (abs(guess - c), 2, c))[2]


def guess_of(kind, left, up, corner):
    return [0, left, up, (left + up) // 2, paeth(left, up, corner)][kind]


def filtered(rows, step, choose):
    data = bytearray()
    above = bytes(len(rows[0]))
    for y, row in enumerate(rows):
        kind = choose(y)
        data.append(kind)
        for i, value in enumerate(row):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            data.append((value - guess_of(kind, left, above[i], corner)) & 255)
        above = row
    return bytes(data)


def unfiltered(data, row_bytes, step):
    rows, above = [], bytes(row_bytes)
    for begin in range(0, len(data), row_bytes + 1):
        row = bytearray()
        for i, value in enumerate(data[begin + 1 : begin + 1 + row_bytes]):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            row.append((value + guess_of(data[begin], left, above[i], corner)) & 255)
        rows.append(bytes(row))
        above = row
    return rows


def compressed(data, how):
    if how == "stored":
        return zlib.compress(data, 0)
    strategy = zlib.Z_FIXED if how == "fixed" else zlib.Z_DEFAULT_STRATEGY
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, strategy)
    return packer.compress(data) + packer.flush()


class Picture:
    """A picture with some pattern and some noise, and what its pixels are as RGBA."""

    def __init__(self, rng, width, height, kind, choose=None, how="dynamic", hidden=False):
        step = SAMPLES[kind]
        self.width, self.height = width, height
        palette = [bytes(rng.randrange(256) for _ in range(3)) for _ in range(rng.randrange(1, 257))]
        alphas = [rng.randrange(256) for _ in range(rng.randrange(len(palette) + 1))]
        rows = []
        for y in range(height):
            row = bytearray()
            for x in range(width):
                for s in range(step):
                    value = (x * 3 + y * 2 + s * 40) if rng.random() < 0.8 else rng.randrange(256)
                    row.append(value % (len(palette) if kind == 3 else 256))
            rows.append(bytes(row))
        key = rows[0][:step]
        self.pixels = []
        for row in rows:
            line = []
            for x in range(width):
                sample = row[x * step : x * step + step]
                alpha = 0 if hidden and sample == key else 255
                if kind == 0:
                    line.append((sample[0],) * 3 + (alpha,))
                elif kind == 2:
                    line.append(tuple(sample) + (alpha,))
                elif kind == 3:
                    index = sample[0]
                    alpha = alphas[index] if hidden and index < len(alphas) else 255
                    line.append(tuple(palette[index]) + (alpha,))
                elif kind == 4:
                    line.append((sample[0],) * 3 + (sample[1],))
                else:
                    line.append(tuple(sample))
            self.pixels.append(line)
        packed = compressed(filtered(rows, step, choose or (lambda y: y % 5)), how)
        self.file = SIGNATURE + header(width, height, kind)
        if kind == 3:
            self.file += chunk(b"PLTE", b"".join(palette))
        if hidden and kind == 3 and alphas:
            self.file += chunk(b"tRNS", bytes(alphas))
        if hidden and kind in (0, 2):
            self.file += chunk(b"tRNS", b"".join(bytes([0, value]) for value in key))
        self.file += chunk(b"tEXt", b"Comment\0nobody reads this")
        half = len(packed) // 2
        self.file += chunk(b"IDAT", packed[:half]) + chunk(b"IDAT", packed[half:])
        self.file += chunk(b"IEND", b"")

    def shrunk(self, size):
        longer = max(self.width, self.height)
        width, height = self.width, self.height
        if longer > size:
            width, height = max(width * size // longer, 1), max(height * size // longer, 1)
        result = []
        for y in range(height):
            rows = covered(y, height, self.height)
            line = []
            for x in range(width):
                columns = covered(x, width, self.width)
                every = [self.pixels[row][column] for row in rows for column in columns]
                alpha = sum(pixel[3] for pixel in every)
                colours = [
                    (sum(pixel[c] * pixel[3] for pixel in every) + alpha // 2) // max(alpha, 1)
                    for c in range(3)
                ]
                line.append((*colours, (alpha + len(every) // 2) // len(every)))
            result.append(line)
        return result


def covered(at, new, old):
    begin, end = at * old // new, (at + 1) * old // new
    return range(begin, max(end, begin + 1))


def decoded(file):
    assert file.startswith(SIGNATURE), "no PNG came back"
    at, data, sizes = 8, b"", None
    while at < len(file):
        length, kind = struct.unpack(">I4s", file[at : at + 8])
        body = file[at + 8 : at + 8 + length]
        assert struct.unpack(">I", file[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            sizes = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    assert kind == b"IEND" and at == len(file)
    width, height, depth, colour, *rest = sizes
    assert depth == 8 and colour in (2, 6) and rest == [0, 0, 0]
    step = SAMPLES[colour]
    rows = unfiltered(zlib.decompress(data), width * step, step)
    assert len(rows) == height
    return [
        [(tuple(row[x : x + step]) + (255,))[:4] for x in range(0, width * step, step)] for row in rows
    ]


class Function:
    def __init__(self, url):
        place = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)

    def post(self, body, size):
        self.connection.request("POST", f"/thumbnail?size={size}", body)
        response = self.connection.getresponse()
        return response.status, response.read()


def check_pictures(function, rng):
    pictures = 0
    sizes = [(1, 1), (1, 300), (300, 1), (7, 5), (64, 64), (100, 37)]
    for kind in SAMPLES:
        for hidden in (False, True):
            for number, (width, height) in enumerate(sizes):
                how = ("dynamic", "fixed", "stored")[number % 3]
                choose = None if number % 2 else (lambda y, k=number % 5: k)
                picture = Picture(rng, width, height, kind, choose, how, hidden)
                for size in (1, 16, 64, 1024):
                    status, body = function.post(picture.file, size)
                    what = f"kind {kind}, {width}x{height} to {size}, {how}, transparent {hidden}"
                    assert status == 200, f"{what}: {status} {body!r}"
                    assert decoded(body) == picture.shrunk(size), f"{what}: other pixels"
                    pictures += 1
    # Larger than deflate's window, and with long repetitions.
    for kind in (0, 6):
        rows = [bytes(SAMPLES[kind] * 500)] * 500
        file = SIGNATURE + header(500, 500, kind)
        file += chunk(b"IDAT", compressed(filtered(rows, SAMPLES[kind], lambda y: 0), "dynamic"))
        status, body = function.post(file + chunk(b"IEND", b""), 1024)
        pixel = (0, 0, 0, 255 if kind == 0 else 0)
        assert status == 200 and decoded(body) == [[pixel] * 500] * 500, "a black square"
        assert len(body) < 10000, f"a black square of {len(body)} bytes"
        pictures += 1
    status, body = function.post(Picture(rng, 700, 300, 2).file, 1024)
    assert status == 200 and len(decoded(body)[0]) == 700
    return pictures + 1


def check_refusals(function, rng):
    good = Picture(rng, 20, 20, 2)
    packed = compressed(filtered([bytes(60)] * 20, 3, lambda y: 0), "dynamic")

    def file(data, head=None, *others):
        return SIGNATURE + (head or header(20, 20, 2)) + b"".join(others) + chunk(b"IDAT", data) + chunk(b"IEND", b"")

    def body(data):
        return zlib.compress(data)

    raw = bytes(61 * 20)
    refused = {
        "no signature": (415, good.file[1:], "no PNG"),
        "no header": (400, SIGNATURE + chunk(b"IDAT", packed), "header"),
        "no data": (400, SIGNATURE + header(20, 20, 2) + chunk(b"IEND", b""), "ends too early"),
        "no end": (400, good.file[:-12], "ends too early"),
        "width 0": (400, file(packed, header(0, 20, 2)), "no pixels"),
        "height 0": (400, file(packed, header(20, 0, 2)), "no pixels"),
        "huge": (413, file(packed, header(100000, 100000, 2)), "pixels"),
        "2^32 pixels": (413, file(packed, header(0xFFFFFFFF, 0xFFFFFFFF, 2)), "pixels"),
        "16 bits": (415, file(packed, header(20, 20, 2, 16)), "8 bits"),
        "4 bits": (415, file(packed, header(20, 20, 3, 4)), "8 bits"),
        "interlaced": (415, file(packed, header(20, 20, 2, 8, 1)), "interlaced"),
        "kind 5": (400, file(packed, header(20, 20, 5)), "kind of colour"),
        "a critical chunk": (400, file(packed, None, chunk(b"XYZW", b"")), "not understood"),
        "empty palette": (400, file(packed, header(20, 20, 3), chunk(b"PLTE", b"")), "palette"),
        "no palette": (400, file(body(bytes(21 * 20)), header(20, 20, 3)), "palette does not have"),
        "beyond the palette": (
            400,
            file(body((b"\0" + bytes([1] * 20)) * 20), header(20, 20, 3), chunk(b"PLTE", b"abc")),
            "palette does not have",
        ),
        "filter 5": (400, file(body(b"\x05" + raw[1:])), "filter"),
        "a byte too much": (400, file(body(raw + b"x")), "more data than pixels"),
        "a byte too few": (400, file(body(raw[1:])), "ends too early"),
        "a bomb": (400, file(zlib.compress(bytes(1 << 26), 9)), "more data than pixels"),
        "no zlib": (400, file(b"\x79\x9c" + packed[2:]), "none of zlib's"),
        "a wrong sum": (400, file(packed[:-1] + bytes([packed[-1] ^ 1])), "checksum"),
        "block kind 3": (400, file(b"\x78\x9c\x07"), "unknown kind"),
        "a distance beyond": (400, file(b"\x78\x9c\x03\x02\x00\x00"), "beyond the beginning"),
    }
    for what, (expected, data, reason) in refused.items():
        status, answer = function.post(data, 64)
        assert status == expected and reason.encode() in answer, f"{what}: {status} {answer!r}"

    # Every cut and many flipped bytes; behind a right checksum, where it would be noticed at once.
    for end in range(len(good.file) - 1):
        status, _ = function.post(good.file[:end], 64)
        assert status in (400, 415), f"cut at {end}: {status}"
    for _ in range(300):
        data = bytearray(packed)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        status, answer = function.post(file(bytes(data)), 64)
        assert status in (200, 400), f"{bytes(data).hex()}: {status} {answer!r}"
    return len(refused) + len(good.file) - 1 + 300


def main():
    function = Function(sys.argv[1])
    rng = random.Random(20)
    pictures = check_pictures(function, rng)
    refusals = check_refusals(function, rng)
    print(f"{pictures} pictures shrunk, {refusals} broken ones refused or read")


if __name__ == "__main__":
    main()
