//! The nur stream ABI in Zig. The content's length is counted when this is compiled.

const std = @import("std");
const nur = @import("nur");

const body = "Hello from Zig\n";
const response = std.fmt.comptimePrint(
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{s}",
    .{ body.len, body },
);

// What arrives is not looked at, so every chunk may have the same place.
var chunk: [1024]u8 = undefined;

export fn alloc(length: usize) [*]u8 {
    return chunk[0..length].ptr;
}

export fn poll_stream(data: [*]const u8, length: usize) void {
    _ = data;
    // Nothing is sent to a client that closes before it has asked.
    if (length > 0) nur.stream.send(response);
    nur.stream.end();
}
