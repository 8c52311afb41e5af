// What a function for nurhost is written with, in AssemblyScript.
//
// A function has one of two shapes:
//
//   handle   `export function handle(): void` is called once for a request. It asks `request`,
//            answers through `response`, and may use the rest.
//   stream   `export function alloc` and `export function poll_stream` are given a connection's
//            bytes as they come, and call `stream`.
//
//   asc hello.ts --outFile hello.wasm --runtime stub --optimize --use abort=
//
// Text goes in and out as strings (UTF-8 outside); bytes are Uint8Arrays. What is absent is null, and
// what failed is a negative number: one of the codes of Failure.

/// Why a call did not do what was asked.
export namespace Failure {
  /// Not there, gone, or failed in a way that has no name of its own.
  export const failed: i32 = -1;
  /// A limit of the host is reached.
  export const limit: i32 = -2;
  /// Not granted to this function.
  export const denied: i32 = -3;
  /// An argument that means nothing.
  export const invalid: i32 = -4;
  export const timedOut: i32 = -5;
}

// The imports as they are.
@external("env", "log") declare function raw_log(text: usize, size: i64): void;
@external("env", "log_at") declare function raw_log_at(level: i32, text: usize, size: i64): void;
@external("env", "request_method") declare function raw_request_method(to: usize, size: i64): i64;
@external("env", "request_target") declare function raw_request_target(to: usize, size: i64): i64;
@external("env", "request_path") declare function raw_request_path(to: usize, size: i64): i64;
@external("env", "request_query") declare function raw_request_query(to: usize, size: i64): i64;
@external("env", "request_client") declare function raw_request_client(to: usize, size: i64): i64;
@external("env", "request_headers") declare function raw_request_headers(to: usize, size: i64): i64;
@external("env", "request_header") declare function raw_request_header(name: usize, nameSize: i64, to: usize, size: i64): i64;
@external("env", "request_body") declare function raw_request_body(to: usize, size: i64): i64;
@external("env", "response_set_status_line") declare function raw_response_set_status_line(status: i32, reason: usize, size: i64): void;
@external("env", "response_set_header") declare function raw_response_set_header(name: usize, nameSize: i64, value: usize, valueSize: i64): void;
@external("env", "response_set_body") declare function raw_response_set_body(body: usize, size: i64): void;
@external("env", "response_write") declare function raw_response_write(bytes: usize, size: i64): i64;
@external("env", "tcp_connect") declare function raw_tcp_connect(address: usize, size: i64): i32;
@external("env", "tcp_read") declare function raw_tcp_read(handle: i32, to: usize, size: i64): i64;
@external("env", "tcp_write") declare function raw_tcp_write(handle: i32, bytes: usize, size: i64): i64;
@external("env", "tcp_close") declare function raw_tcp_close(handle: i32): i32;
@external("env", "env_get") declare function raw_env_get(key: usize, keySize: i64, to: usize, size: i64): i64;
@external("env", "db_get") declare function raw_db_get(key: usize, keySize: i64, to: usize, size: i64): i64;
@external("env", "random_bytes") declare function raw_random_bytes(to: usize, size: i64): i32;
@external("env", "clock_wall") declare function raw_clock_wall(): i64;
@external("env", "clock_monotonic") declare function raw_clock_monotonic(): i64;
@external("env", "sleep") declare function raw_sleep(nanoseconds: i64): void;
@external("env", "kv_get") declare function raw_kv_get(key: usize, keySize: i64, to: usize, size: i64): i64;
@external("env", "kv_set") declare function raw_kv_set(key: usize, keySize: i64, value: usize, valueSize: i64, ttl: i64): i32;
@external("env", "kv_delete") declare function raw_kv_delete(key: usize, keySize: i64): i32;
@external("env", "kv_increment") declare function raw_kv_increment(key: usize, keySize: i64, delta: i64, ttl: i64, result: usize): i32;
@external("env", "kv_list") declare function raw_kv_list(prefix: usize, prefixSize: i64, after: usize, afterSize: i64, to: usize, size: i64): i64;
@external("env", "http_open") declare function raw_http_open(method: usize, methodSize: i64, url: usize, urlSize: i64, headers: usize, headersSize: i64, body: usize, bodySize: i64, timeout: i64): i32;
@external("env", "http_status") declare function raw_http_status(handle: i32): i32;
@external("env", "http_header") declare function raw_http_header(handle: i32, name: usize, nameSize: i64, to: usize, size: i64): i64;
@external("env", "http_headers") declare function raw_http_headers(handle: i32, to: usize, size: i64): i64;
@external("env", "http_read") declare function raw_http_read(handle: i32, to: usize, size: i64): i64;
@external("env", "http_close") declare function raw_http_close(handle: i32): i32;
@external("nur", "nur_send") declare function raw_nur_send(bytes: usize, size: usize): void;
@external("nur", "nur_log") declare function raw_nur_log(text: usize, size: usize): void;
@external("nur", "nur_end") declare function raw_nur_end(): void;

// UTF-8 of a string, with its place and length.
class Text {
  private buffer: ArrayBuffer;
  constructor(text: string) {
    this.buffer = String.UTF8.encode(text);
  }
  get at(): usize {
    return changetype<usize>(this.buffer);
  }
  get size(): i64 {
    return this.buffer.byteLength;
  }
}

// The bytes of a call that writes at most as many as there is room for and returns how many there
// are; null and its code in `lastError` when it fails. `call` chooses which; `key` and `handle` are
// for those that take them.
const enum Call { method, target, path, query, client, headers, header, env, db, kv, httpHeader, httpHeaders }

let lastError: i32 = 0;

function ask(call: Call, key: Text, handle: i32, to: usize, size: i64): i64 {
  switch (call) {
    case Call.method: return raw_request_method(to, size);
    case Call.target: return raw_request_target(to, size);
    case Call.path: return raw_request_path(to, size);
    case Call.query: return raw_request_query(to, size);
    case Call.client: return raw_request_client(to, size);
    case Call.headers: return raw_request_headers(to, size);
    case Call.header: return raw_request_header(key.at, key.size, to, size);
    case Call.env: return raw_env_get(key.at, key.size, to, size);
    case Call.db: return raw_db_get(key.at, key.size, to, size);
    case Call.kv: return raw_kv_get(key.at, key.size, to, size);
    case Call.httpHeader: return raw_http_header(handle, key.at, key.size, to, size);
    default: return raw_http_headers(handle, to, size);
  }
}

function bytesOf(call: Call, name: string, handle: i32): Uint8Array | null {
  const key = new Text(name);
  let bytes = new Uint8Array(256);
  while (true) {
    const length = ask(call, key, handle, bytes.dataStart, bytes.length);
    if (length < 0) {
      lastError = i32(length);
      return null;
    }
    if (length <= bytes.length) return bytes.subarray(0, i32(length));
    bytes = new Uint8Array(i32(length));
  }
}

function textOf(call: Call, name: string, handle: i32): string | null {
  const bytes = bytesOf(call, name, handle);
  return bytes === null ? null : toText(bytes);
}

function textOrEmpty(call: Call, handle: i32): string {
  const text = textOf(call, "", handle);
  return text === null ? "" : text;
}

/// Bytes that are UTF-8, as a string.
export function toText(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

/// A string's UTF-8.
export function toBytes(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

/// The code of the last call that returned null because it failed.
export function failure(): i32 {
  return lastError;
}

export enum Level { error, warning, info, debug }

/// A line for the host's log, at level info. Never seen by the client.
export function log(text: string): void {
  const bytes = new Text(text);
  raw_log(bytes.at, bytes.size);
}

export function logAt(level: Level, text: string): void {
  const bytes = new Text(text);
  raw_log_at(level, bytes.at, bytes.size);
}

/// The request being answered.
export namespace request {
  /// The method as it was sent: GET.
  export function method(): string { return textOrEmpty(Call.method, 0); }
  /// Path and query as they were sent.
  export function target(): string { return textOrEmpty(Call.target, 0); }
  /// The target in front of the first '?'.
  export function path(): string { return textOrEmpty(Call.path, 0); }
  /// The target behind the first '?'.
  export function query(): string { return textOrEmpty(Call.query, 0); }
  /// Who asks, as ADDRESS:PORT.
  export function client(): string { return textOrEmpty(Call.client, 0); }
  /// All headers in order, each as "Name: value\r\n".
  export function headers(): string { return textOrEmpty(Call.headers, 0); }
  /// A header by its name in any case; several of that name are joined by ", ". null: absent.
  export function header(name: string): string | null { return textOf(Call.header, name, 0); }

  /// The next bytes of the body, at most as many as `to` has; 0 at its end. Waits until there are
  /// some. Negative: the client is gone.
  export function readBody(to: Uint8Array): i32 {
    return i32(raw_request_body(to.dataStart, to.length));
  }

  /// The whole body. null: it has more than `bytesMax`, or the client is gone.
  export function body(bytesMax: i32): Uint8Array | null {
    return readAll(bytesMax, -1);
  }
}

// The body of a response to us, or of the request when `handle` is negative.
function readAll(bytesMax: i32, handle: i32): Uint8Array | null {
  // One byte more than allowed tells a body that is too long.
  let body = new Uint8Array(min(bytesMax, 4095) + 1);
  let have = 0;
  while (true) {
    const at = body.dataStart + have;
    const size: i64 = body.length - have;
    const got = i32(handle < 0 ? raw_request_body(at, size) : raw_http_read(handle, at, size));
    if (got < 0) {
      lastError = got;
      return null;
    }
    if (got == 0) return body.subarray(0, have);
    have += got;
    if (have > bytesMax) {
      lastError = Failure.limit;
      return null;
    }
    if (have == body.length) {
      const larger = new Uint8Array(min(bytesMax + 1, 2 * have));
      larger.set(body);
      body = larger;
    }
  }
}

export namespace response {
  /// The status (100 to 599) and its reason. The last call counts.
  export function setStatus(status: i32, reason: string): void {
    const text = new Text(reason);
    raw_response_set_status_line(status, text.at, text.size);
  }

  /// One more header; those of the same name stay.
  export function setHeader(name: string, value: string): void {
    const key = new Text(name), text = new Text(value);
    raw_response_set_header(key.at, key.size, text.at, text.size);
  }

  /// The whole body. The last call counts.
  export function setBody(body: Uint8Array): void {
    raw_response_set_body(body.dataStart, body.length);
  }

  /// A whole response of text.
  export function answer(status: i32, reason: string, contentType: string, body: string): void {
    setStatus(status, reason);
    setHeader("Content-Type", contentType);
    setBody(toBytes(body));
  }

  /// Sends the status line and the headers set so far, if that was not done, and these bytes behind
  /// them. Waits while the client is slow. 0, or negative: the client is gone.
  export function write(bytes: Uint8Array): i32 {
    let done = 0;
    do {
      const written = i32(raw_response_write(bytes.dataStart + done, bytes.length - done));
      if (written < 0) return written;
      if (written == 0 && bytes.length > 0) return Failure.failed;
      done += written;
    } while (done < bytes.length);
    return 0;
  }
}

/// A connection to a backend. Waiting for it holds up nobody else.
export class TcpStream {
  private constructor(private handle: i32) {}

  /// Connects to HOST:PORT, a name or an address. null: `failure()` says why (denied: not on the
  /// function's allow-list; limit: too many are open).
  static connect(address: string): TcpStream | null {
    const text = new Text(address);
    const handle = raw_tcp_connect(text.at, text.size);
    if (handle < 0) {
      lastError = handle;
      return null;
    }
    return new TcpStream(handle);
  }

  /// The next bytes; 0 at the end, or negative. Waits for the first.
  read(to: Uint8Array): i32 {
    return i32(raw_tcp_read(this.handle, to.dataStart, to.length));
  }

  /// Sends all of it. 0, or negative.
  write(bytes: Uint8Array): i32 {
    let done = 0;
    while (done < bytes.length) {
      const written = i32(raw_tcp_write(this.handle, bytes.dataStart + done, bytes.length - done));
      if (written < 0) return written;
      if (written == 0) return Failure.failed;
      done += written;
    }
    return 0;
  }

  close(): void {
    raw_tcp_close(this.handle);
  }
}

/// What the configuration tells this function.
export namespace env {
  /// null: there is no such key.
  export function get(key: string): string | null { return textOf(Call.env, key, 0); }
}

/// The same by the name that serverless-wasm has for it.
export namespace db {
  export function get(key: string): string | null { return textOf(Call.db, key, 0); }
}

/// Fills `to` with random bytes, good enough for keys. 0, or negative.
export function random(to: Uint8Array): i32 {
  return raw_random_bytes(to.dataStart, to.length);
}

/// Nanoseconds. The host's clocks move in steps of a millisecond.
export namespace clock {
  /// Since the beginning of 1970, UTC.
  export function wall(): i64 { return raw_clock_wall(); }
  /// Since some moment; never goes back.
  export function monotonic(): i64 { return raw_clock_monotonic(); }
  /// Waits, and holds up nobody else. The function's own time-out goes on.
  export function sleep(nanoseconds: i64): void { raw_sleep(nanoseconds); }
}

/// The function's own store of values by key; it survives restarts. denied: the function has none.
/// limit: a key, a value or the store would be too large. Times to live are milliseconds, 0 is for
/// ever.
export namespace kv {
  /// null: it is not there, or has expired (`failure()` is failed), or there is no store.
  export function get(key: string): Uint8Array | null { return bytesOf(Call.kv, key, 0); }

  /// 0, or negative.
  export function set(key: string, value: Uint8Array, ttl: i64 = 0): i32 {
    const name = new Text(key);
    return raw_kv_set(name.at, name.size, value.dataStart, value.length, ttl);
  }

  /// 1: deleted. 0: it was not there. Or negative.
  export function remove(key: string): i32 {
    const name = new Text(key);
    return raw_kv_delete(name.at, name.size);
  }

  /// What `increment` came to.
  export class Sum {
    constructor(public code: i32, public value: i64) {}
  }

  /// Adds `delta` to the decimal number that a key has, at once and whole; one that is not there
  /// counts as 0 and gets the time to live. `code` is 0, or invalid: the value is no number.
  export function increment(key: string, delta: i64, ttl: i64 = 0): Sum {
    const name = new Text(key), sum = new ArrayBuffer(8);
    const code = raw_kv_increment(name.at, name.size, delta, ttl, changetype<usize>(sum));
    return new Sum(code, load<i64>(changetype<usize>(sum)));
  }

  /// Some of the keys that begin with `prefix` and come behind `after`, in the order of their bytes.
  /// None are left when there are none; else go on behind the last. null: it failed.
  export function list(prefix: string, after: string = ""): string[] | null {
    const first = new Text(prefix), behind = new Text(after);
    let bytes = new Uint8Array(4096);
    let length: i32;
    while (true) {
      length = i32(raw_kv_list(first.at, first.size, behind.at, behind.size, bytes.dataStart, bytes.length));
      // Not even one key had room.
      if (length != Failure.limit || bytes.length >= 1 << 20) break;
      bytes = new Uint8Array(bytes.length * 4);
    }
    if (length < 0) {
      lastError = length;
      return null;
    }
    const keys: string[] = [];
    for (let at = 0; at + 4 <= length; ) {
      const size = load<u32>(bytes.dataStart + at);
      keys.push(toText(bytes.subarray(at + 4, at + 4 + size)));
      at += 4 + size;
    }
    return keys;
  }
}

/// Requests to other servers. Waiting for them holds up nobody else.
export namespace http {
  /// A response whose body may still be on its way.
  export class Response {
    constructor(private handle: i32) {}

    status(): i32 { return raw_http_status(this.handle); }
    /// A header by its name in any case; several of that name are joined by ", ". null: absent.
    header(name: string): string | null { return textOf(Call.httpHeader, name, this.handle); }
    /// All headers in order, each as "Name: value\r\n".
    headers(): string { return textOrEmpty(Call.httpHeaders, this.handle); }
    /// The next bytes of the body; 0 at its end, or negative.
    read(to: Uint8Array): i32 { return i32(raw_http_read(this.handle, to.dataStart, to.length)); }
    /// The whole body. null: it has more than `bytesMax`, or did not come.
    body(bytesMax: i32): Uint8Array | null { return readAll(bytesMax, this.handle); }
    close(): void { raw_http_close(this.handle); }
  }

  /// Sends a request and waits for the head of the response. `headers` are "Name: value\r\n" lines;
  /// `timeout` is in milliseconds: until the head is there, and between pieces of the body; 0: as
  /// long as the host allows. null: `failure()` says why (denied: not on the function's allow-list;
  /// limit: too many at once; invalid: no such URL).
  export function open(
    method: string, url: string, headers: string = "", body: Uint8Array | null = null, timeout: i64 = 0,
  ): Response | null {
    const verb = new Text(method), place = new Text(url), lines = new Text(headers);
    const handle = raw_http_open(
      verb.at, verb.size, place.at, place.size, lines.at, lines.size,
      body === null ? 0 : body.dataStart, body === null ? 0 : body.length, timeout,
    );
    if (handle < 0) {
      lastError = handle;
      return null;
    }
    return new Response(handle);
  }
}

/// The stream ABI, for functions that export alloc and poll_stream.
export namespace stream {
  /// Bytes for the client, in order.
  export function send(bytes: Uint8Array): void { raw_nur_send(bytes.dataStart, bytes.length); }
  /// A line for the host's log.
  export function log(text: string): void {
    const bytes = String.UTF8.encode(text);
    raw_nur_log(changetype<usize>(bytes), bytes.byteLength);
  }
  /// Done: poll_stream is not called again, what is sent or logged afterwards is dropped. Returns.
  export function end(): void { raw_nur_end(); }
}
