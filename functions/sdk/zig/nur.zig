//! What a function for nurhost is written with, in Zig.
//!
//! A function has one of three shapes:
//!
//! - handle: `export fn handle() void` is called once for a request. It asks `request`, answers
//!   through `response`, and may use the rest.
//! - stream: `export fn alloc` and `export fn poll_stream` are given a connection's bytes as they
//!   come, and call `stream`.
//! - command: a WASI command reads standard input and prints; it needs nothing of this.
//!
//! What is allocated is never freed here: an instance lives for one request, so an arena or
//! `std.heap.wasm_allocator` will do.

const std = @import("std");
const Allocator = std.mem.Allocator;

/// Why a call did not do what was asked.
pub const Error = error{
    /// Not there, gone, or failed in a way that has no name of its own.
    Failed,
    /// A limit of the host is reached.
    Limit,
    /// Not granted to this function.
    Denied,
    /// An argument that means nothing.
    Invalid,
    TimedOut,
};

/// The imports as they are.
pub const raw = struct {
    pub extern "env" fn log(text: [*]const u8, size: u64) void;
    pub extern "env" fn log_at(level: i32, text: [*]const u8, size: u64) void;
    pub extern "env" fn request_method(to: [*]u8, size: u64) i64;
    pub extern "env" fn request_target(to: [*]u8, size: u64) i64;
    pub extern "env" fn request_path(to: [*]u8, size: u64) i64;
    pub extern "env" fn request_query(to: [*]u8, size: u64) i64;
    pub extern "env" fn request_client(to: [*]u8, size: u64) i64;
    pub extern "env" fn request_headers(to: [*]u8, size: u64) i64;
    pub extern "env" fn request_header(name: [*]const u8, name_size: u64, to: [*]u8, size: u64) i64;
    pub extern "env" fn request_body(to: [*]u8, size: u64) i64;
    pub extern "env" fn response_set_status_line(status: i32, reason: [*]const u8, size: u64) void;
    pub extern "env" fn response_set_header(name: [*]const u8, name_size: u64, value: [*]const u8, value_size: u64) void;
    pub extern "env" fn response_set_body(body: [*]const u8, size: u64) void;
    pub extern "env" fn response_write(bytes: [*]const u8, size: u64) i64;
    pub extern "env" fn tcp_connect(address: [*]const u8, size: u64) i32;
    pub extern "env" fn tcp_read(handle: i32, to: [*]u8, size: u64) i64;
    pub extern "env" fn tcp_write(handle: i32, bytes: [*]const u8, size: u64) i64;
    pub extern "env" fn tcp_close(handle: i32) i32;
    pub extern "env" fn env_get(key: [*]const u8, key_size: u64, to: [*]u8, size: u64) i64;
    pub extern "env" fn db_get(key: [*]const u8, key_size: u64, to: [*]u8, size: u64) i64;
    pub extern "env" fn random_bytes(to: [*]u8, size: u64) i32;
    pub extern "env" fn clock_wall() i64;
    pub extern "env" fn clock_monotonic() i64;
    pub extern "env" fn sleep(nanoseconds: i64) void;
    pub extern "env" fn kv_get(key: [*]const u8, key_size: u64, to: [*]u8, size: u64) i64;
    pub extern "env" fn kv_set(key: [*]const u8, key_size: u64, value: [*]const u8, value_size: u64, ttl_ms: i64) i32;
    pub extern "env" fn kv_delete(key: [*]const u8, key_size: u64) i32;
    pub extern "env" fn kv_increment(key: [*]const u8, key_size: u64, delta: i64, ttl_ms: i64, result: *i64) i32;
    pub extern "env" fn kv_list(prefix: [*]const u8, prefix_size: u64, after: [*]const u8, after_size: u64, to: [*]u8, size: u64) i64;
    pub extern "env" fn http_open(method: [*]const u8, method_size: u64, url: [*]const u8, url_size: u64, headers: [*]const u8, headers_size: u64, body: [*]const u8, body_size: u64, timeout_ms: i64) i32;
    pub extern "env" fn http_status(handle: i32) i32;
    pub extern "env" fn http_header(handle: i32, name: [*]const u8, name_size: u64, to: [*]u8, size: u64) i64;
    pub extern "env" fn http_headers(handle: i32, to: [*]u8, size: u64) i64;
    pub extern "env" fn http_read(handle: i32, to: [*]u8, size: u64) i64;
    pub extern "env" fn http_close(handle: i32) i32;
    pub extern "nur" fn nur_send(bytes: [*]const u8, size: usize) void;
    pub extern "nur" fn nur_log(text: [*]const u8, size: usize) void;
    pub extern "nur" fn nur_end() void;
};

fn checked(code: i64) Error!usize {
    if (code >= 0) return @intCast(code);
    return switch (code) {
        -2 => error.Limit,
        -3 => error.Denied,
        -4 => error.Invalid,
        -5 => error.TimedOut,
        else => error.Failed,
    };
}

/// The bytes of a call that writes at most as many as there is room for and returns how many there
/// are. `arguments` go in front of pointer and size.
fn textOf(allocator: Allocator, call: anytype, arguments: anytype) (Error || Allocator.Error)![]u8 {
    var text = try allocator.alloc(u8, 256);
    while (true) {
        const length = try checked(@call(.auto, call, arguments ++ .{ text.ptr, @as(u64, text.len) }));
        if (length <= text.len) return text[0..length];
        text = try allocator.alloc(u8, length);
    }
}

/// None instead of what is absent.
fn optional(allocator: Allocator, call: anytype, arguments: anytype) (Error || Allocator.Error)!?[]u8 {
    return textOf(allocator, call, arguments) catch |failure| switch (failure) {
        error.Failed => null,
        else => failure,
    };
}

fn readAll(allocator: Allocator, bytes_max: usize, call: anytype, arguments: anytype) (Error || Allocator.Error)![]u8 {
    var body = try allocator.alloc(u8, @min(bytes_max, 4095) + 1);
    var have: usize = 0;
    while (true) {
        const got = try checked(@call(.auto, call, arguments ++ .{ body.ptr + have, @as(u64, body.len - have) }));
        if (got == 0) return body[0..have];
        have += got;
        // One byte more than allowed tells a body that is too long.
        if (have > bytes_max) return error.Limit;
        if (have == body.len) body = try allocator.realloc(body, @min(bytes_max + 1, 2 * body.len));
    }
}

pub const Level = enum(i32) { err = 0, warning = 1, info = 2, debug = 3 };

/// A line for the host's log, at level info. Never seen by the client.
pub fn log(text: []const u8) void {
    raw.log(text.ptr, text.len);
}

pub fn logAt(level: Level, text: []const u8) void {
    raw.log_at(@intFromEnum(level), text.ptr, text.len);
}

/// The request being answered.
pub const request = struct {
    /// The method as it was sent: GET.
    pub fn method(allocator: Allocator) ![]u8 {
        return textOf(allocator, raw.request_method, .{});
    }
    /// Path and query as they were sent.
    pub fn target(allocator: Allocator) ![]u8 {
        return textOf(allocator, raw.request_target, .{});
    }
    /// The target in front of the first '?'.
    pub fn path(allocator: Allocator) ![]u8 {
        return textOf(allocator, raw.request_path, .{});
    }
    /// The target behind the first '?'.
    pub fn query(allocator: Allocator) ![]u8 {
        return textOf(allocator, raw.request_query, .{});
    }
    /// Who asks, as ADDRESS:PORT.
    pub fn client(allocator: Allocator) ![]u8 {
        return textOf(allocator, raw.request_client, .{});
    }
    /// All headers in order, each as "Name: value\r\n".
    pub fn headers(allocator: Allocator) ![]u8 {
        return textOf(allocator, raw.request_headers, .{});
    }
    /// A header by its name in any case; several of that name are joined by ", ".
    pub fn header(allocator: Allocator, name: []const u8) !?[]u8 {
        return optional(allocator, raw.request_header, .{ name.ptr, @as(u64, name.len) });
    }
    /// The next bytes of the body; 0 at its end. Waits until there are some. Failed: the client is
    /// gone.
    pub fn readBody(to: []u8) Error!usize {
        return checked(raw.request_body(to.ptr, to.len));
    }
    /// The whole body. Limit: it has more than `bytes_max`.
    pub fn body(allocator: Allocator, bytes_max: usize) ![]u8 {
        return readAll(allocator, bytes_max, raw.request_body, .{});
    }
};

pub const response = struct {
    /// The status (100 to 599) and its reason. The last call counts.
    pub fn setStatus(status: u16, reason: []const u8) void {
        raw.response_set_status_line(status, reason.ptr, reason.len);
    }
    /// One more header; those of the same name stay.
    pub fn setHeader(name: []const u8, value: []const u8) void {
        raw.response_set_header(name.ptr, name.len, value.ptr, value.len);
    }
    /// The whole body. The last call counts.
    pub fn setBody(body: []const u8) void {
        raw.response_set_body(body.ptr, body.len);
    }
    pub fn answer(status: u16, reason: []const u8, content_type: []const u8, body: []const u8) void {
        setStatus(status, reason);
        setHeader("Content-Type", content_type);
        setBody(body);
    }
    /// Sends the status line and the headers set so far, if that was not done, and these bytes
    /// behind them. Waits while the client is slow. Failed: the client is gone.
    pub fn write(bytes: []const u8) Error!void {
        var rest = bytes;
        while (true) {
            const written = try checked(raw.response_write(rest.ptr, rest.len));
            rest = rest[@min(written, rest.len)..];
            if (rest.len == 0) return;
            if (written == 0) return error.Failed;
        }
    }
};

/// A connection to a backend. Waiting for it holds up nobody else.
pub const TcpStream = struct {
    handle: i32,

    /// Connects to HOST:PORT, a name or an address. Denied: not on the function's allow-list.
    /// Limit: too many are open.
    pub fn connect(address: []const u8) Error!TcpStream {
        const handle = raw.tcp_connect(address.ptr, address.len);
        _ = try checked(handle);
        return .{ .handle = handle };
    }
    /// The next bytes; 0 at the end. Waits for the first.
    pub fn read(self: TcpStream, to: []u8) Error!usize {
        return checked(raw.tcp_read(self.handle, to.ptr, to.len));
    }
    /// Sends all of it.
    pub fn write(self: TcpStream, bytes: []const u8) Error!void {
        var rest = bytes;
        while (rest.len > 0) {
            const written = try checked(raw.tcp_write(self.handle, rest.ptr, rest.len));
            if (written == 0) return error.Failed;
            rest = rest[@min(written, rest.len)..];
        }
    }
    pub fn close(self: TcpStream) void {
        _ = raw.tcp_close(self.handle);
    }
};

/// What the configuration tells this function.
pub const env = struct {
    pub fn get(allocator: Allocator, key: []const u8) !?[]u8 {
        return optional(allocator, raw.env_get, .{ key.ptr, @as(u64, key.len) });
    }
};

/// The same by the name that serverless-wasm has for it.
pub const db = struct {
    pub fn get(allocator: Allocator, key: []const u8) !?[]u8 {
        return optional(allocator, raw.db_get, .{ key.ptr, @as(u64, key.len) });
    }
};

/// Fills `to` with random bytes, good enough for keys.
pub fn random(to: []u8) Error!void {
    _ = try checked(raw.random_bytes(to.ptr, to.len));
}

/// Nanoseconds. The host's clocks move in steps of a millisecond.
pub const clock = struct {
    /// Since the beginning of 1970, UTC.
    pub fn wall() i64 {
        return raw.clock_wall();
    }
    /// Since some moment; never goes back.
    pub fn monotonic() i64 {
        return raw.clock_monotonic();
    }
    /// Waits, and holds up nobody else. The function's own time-out goes on.
    pub fn sleep(nanoseconds: u63) void {
        raw.sleep(nanoseconds);
    }
};

/// The function's own store of values by key; it survives restarts. Denied: the function has none.
/// Limit: a key, a value or the store would be too large. Times to live are milliseconds, 0 is for
/// ever.
pub const kv = struct {
    /// None: it is not there, or has expired.
    pub fn get(allocator: Allocator, key: []const u8) !?[]u8 {
        return optional(allocator, raw.kv_get, .{ key.ptr, @as(u64, key.len) });
    }
    pub fn set(key: []const u8, value: []const u8, ttl_ms: u32) Error!void {
        _ = try checked(raw.kv_set(key.ptr, key.len, value.ptr, value.len, ttl_ms));
    }
    /// Whether it was there.
    pub fn delete(key: []const u8) Error!bool {
        return try checked(raw.kv_delete(key.ptr, key.len)) != 0;
    }
    /// Adds `delta` to the decimal number that a key has, at once and whole; one that is not there
    /// counts as 0 and gets the time to live. Returns the sum. Invalid: the value is no number.
    pub fn increment(key: []const u8, delta: i64, ttl_ms: u32) Error!i64 {
        var sum: i64 = 0;
        _ = try checked(raw.kv_increment(key.ptr, key.len, delta, ttl_ms, &sum));
        return sum;
    }
    /// Some of the keys that begin with `prefix` and come behind `after`, in the order of their
    /// bytes. None are left when there are none; else go on behind the last.
    pub fn list(allocator: Allocator, prefix: []const u8, after: []const u8) ![][]const u8 {
        var bytes = try allocator.alloc(u8, 4096);
        const length = while (true) {
            const code = raw.kv_list(prefix.ptr, prefix.len, after.ptr, after.len, bytes.ptr, bytes.len);
            break checked(code) catch |failure| {
                // Not even one key had room.
                if (failure != error.Limit or bytes.len >= 1 << 20) return failure;
                bytes = try allocator.realloc(bytes, 4 * bytes.len);
                continue;
            };
        };
        var keys = std.ArrayList([]const u8).init(allocator);
        var at: usize = 0;
        while (at + 4 <= @min(length, bytes.len)) {
            const size = std.mem.readIntLittle(u32, bytes[at..][0..4]);
            try keys.append(bytes[at + 4 ..][0..size]);
            at += 4 + size;
        }
        return keys.toOwnedSlice();
    }
};

/// Requests to other servers. Waiting for them holds up nobody else.
pub const http = struct {
    pub const Request = struct {
        method: []const u8 = "GET",
        /// Begins with http:// or https://.
        url: []const u8,
        /// "Name: value\r\n" lines.
        headers: []const u8 = "",
        body: []const u8 = "",
        /// Until the head is there, and between pieces of the body; 0: as long as the host allows.
        timeout_ms: u32 = 0,

        /// Sends it and waits for the head of the response. Denied: not on the function's
        /// allow-list. Limit: too many at once. Invalid: no such URL, method or header. TimedOut.
        pub fn send(self: Request) Error!Response {
            const handle = raw.http_open(
                self.method.ptr,
                self.method.len,
                self.url.ptr,
                self.url.len,
                self.headers.ptr,
                self.headers.len,
                self.body.ptr,
                self.body.len,
                self.timeout_ms,
            );
            _ = try checked(handle);
            return .{ .handle = handle };
        }
    };

    /// A response whose body may still be on its way.
    pub const Response = struct {
        handle: i32,

        pub fn status(self: Response) u16 {
            return @intCast(raw.http_status(self.handle));
        }
        /// A header by its name in any case; several of that name are joined by ", ".
        pub fn header(self: Response, allocator: Allocator, name: []const u8) !?[]u8 {
            return optional(allocator, raw.http_header, .{ self.handle, name.ptr, @as(u64, name.len) });
        }
        /// All headers in order, each as "Name: value\r\n".
        pub fn headers(self: Response, allocator: Allocator) ![]u8 {
            return textOf(allocator, raw.http_headers, .{self.handle});
        }
        /// The next bytes of the body; 0 at its end.
        pub fn read(self: Response, to: []u8) Error!usize {
            return checked(raw.http_read(self.handle, to.ptr, to.len));
        }
        /// The whole body. Limit: it has more than `bytes_max`.
        pub fn body(self: Response, allocator: Allocator, bytes_max: usize) ![]u8 {
            return readAll(allocator, bytes_max, raw.http_read, .{self.handle});
        }
        pub fn close(self: Response) void {
            _ = raw.http_close(self.handle);
        }
    };
};

/// The stream ABI, for functions that export alloc and poll_stream.
pub const stream = struct {
    /// Bytes for the client, in order.
    pub fn send(bytes: []const u8) void {
        raw.nur_send(bytes.ptr, bytes.len);
    }
    /// A line for the host's log.
    pub fn log(text: []const u8) void {
        raw.nur_log(text.ptr, text.len);
    }
    /// Done: poll_stream is not called again, what is sent or logged afterwards is dropped. Returns.
    pub fn end() void {
        raw.nur_end();
    }
};
