//! Calls every function of nur.zig and tells what came of it; report.txt is what all languages must
//! say.

const std = @import("std");
const nur = @import("nur");

const allocator = std.heap.wasm_allocator;
var report = std.ArrayList(u8).init(allocator);

fn print(comptime format: []const u8, arguments: anytype) void {
    report.writer().print(format, arguments) catch @trap();
}

fn text(name: []const u8, value: ?[]const u8) void {
    print("{s} {s}\n", .{ name, value orelse "absent" });
}

fn truth(name: []const u8, value: bool) void {
    print("{s} {}\n", .{ name, value });
}

fn done(name: []const u8, result: anytype) void {
    if (result) |_| {
        print("{s} ok\n", .{name});
    } else |failure| {
        print("{s} {s}\n", .{ name, @errorName(failure) });
    }
}

fn keys(name: []const u8, after: []const u8) !void {
    print("{s}", .{name});
    for (try nur.kv.list(allocator, "k/", after)) |key| print(" {s}", .{key});
    print("\n", .{});
}

fn contains(all: []const u8, part: []const u8) bool {
    return std.mem.indexOf(u8, all, part) != null;
}

fn join(one: []const u8, two: []const u8) ![]const u8 {
    return std.mem.concat(allocator, u8, &.{ one, two });
}

fn request() !void {
    text("method", try nur.request.method(allocator));
    text("target", try nur.request.target(allocator));
    text("path", try nur.request.path(allocator));
    text("query", try nur.request.query(allocator));
    const client = try nur.request.client(allocator);
    text("client", client[0 .. std.mem.lastIndexOfScalar(u8, client, ':') orelse 0]);
    text("header", try nur.request.header(allocator, "X-SINK"));
    text("no header", try nur.request.header(allocator, "X-None"));
    const headers = try nur.request.headers(allocator);
    truth("headers", contains(headers, ": one\r\n") and contains(headers, ": two\r\n"));
    text("body", try nur.request.body(allocator, 100));
    var rest: [10]u8 = undefined;
    print("body end {}\n", .{try nur.request.readBody(&rest)});
}

fn process() !void {
    text("env", try nur.env.get(allocator, "greeting"));
    text("db", try nur.db.get(allocator, "greeting"));
    text("no env", try nur.env.get(allocator, "nothing"));
    var one: [8]u8 = undefined;
    var two: [8]u8 = undefined;
    try nur.random(&one);
    try nur.random(&two);
    truth("random", !std.mem.eql(u8, &one, &two));
    truth("wall", nur.clock.wall() > 1600000000 * std.time.ns_per_s);
    const begun = nur.clock.monotonic();
    nur.clock.sleep(20 * std.time.ns_per_ms);
    truth("slept", nur.clock.monotonic() - begun >= 19 * std.time.ns_per_ms);
}

fn store() !void {
    done("set", nur.kv.set("k/a", "value", 0));
    text("get", try nur.kv.get(allocator, "k/a"));
    text("no key", try nur.kv.get(allocator, "k/none"));
    print("increment {}\n", .{try nur.kv.increment("k/b", 5, 0)});
    print("decrement {}\n", .{try nur.kv.increment("k/b", -8, 0)});
    done("no number", nur.kv.increment("k/a", 1, 0));
    try keys("keys", "");
    try keys("keys behind", "k/a");
    try keys("no keys", "k/b");
    truth("delete", try nur.kv.delete("k/a"));
    truth("delete again", try nur.kv.delete("k/a"));
    _ = try nur.kv.delete("k/b");
    done("set for a while", nur.kv.set("k/c", "value", 5));
    nur.clock.sleep(50 * std.time.ns_per_ms);
    text("expired", try nur.kv.get(allocator, "k/c"));
}

fn http() !void {
    const backend = try join("http://", try nur.env.get(allocator, "backend") orelse "");
    const response = try (nur.http.Request{
        .method = "POST",
        .url = try join(backend, "/pong"),
        .headers = "X-Ask: yes\r\n",
        .body = "ping",
        .timeout_ms = 5000,
    }).send();
    print("http {}\n", .{response.status()});
    text("http header", try response.header(allocator, "x-BACK"));
    text("no http header", try response.header(allocator, "X-None"));
    truth("http headers", contains(try response.headers(allocator), ": back\r\n"));
    text("http body", try response.body(allocator, 100));
    response.close();
    done("http not granted", (nur.http.Request{ .url = "http://192.0.2.1/", .timeout_ms = 1000 }).send());
    done("http no url", (nur.http.Request{ .url = "nonsense" }).send());
    done("http too slow", (nur.http.Request{ .url = try join(backend, "/slow"), .timeout_ms = 50 }).send());
}

fn tcp() !void {
    const connection = try nur.TcpStream.connect(try nur.env.get(allocator, "echo") orelse "");
    try connection.write("ping");
    var back: [64]u8 = undefined;
    var have: usize = 0;
    while (true) {
        const got = try connection.read(back[have..]);
        if (got == 0) break;
        have += got;
    }
    text("tcp", back[0..have]);
    connection.close();
    done("tcp not granted", nur.TcpStream.connect("192.0.2.1:80"));
    done("tcp refused", nur.TcpStream.connect(try nur.env.get(allocator, "closed") orelse ""));
}

fn answer() !void {
    nur.log("a line of info");
    nur.logAt(.err, "a line of error");
    nur.logAt(.warning, "a line of warning");
    nur.logAt(.info, "another line of info");
    nur.logAt(.debug, "a line of debug");

    try request();
    try process();
    try store();
    try http();
    try tcp();

    nur.response.setStatus(200, "All called");
    nur.response.setHeader("Content-Type", "text/plain");
    nur.response.setHeader("X-Sink", "one");
    nur.response.setHeader("X-Sink", "two");
    if (try nur.request.header(allocator, "X-Whole") != null) {
        nur.response.setBody(report.items);
        return;
    }
    try nur.response.write(report.items[0..10]);
    try nur.response.write(report.items[10..]);
}

export fn handle() void {
    answer() catch |failure| {
        nur.response.answer(500, "Failed", "text/plain", @errorName(failure));
    };
}
