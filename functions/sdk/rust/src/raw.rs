//! The imports as they are. Sizes are 64 bits wide, also where memory is 32.

#[link(wasm_import_module = "env")]
extern "C" {
    pub fn log(text: *const u8, size: u64);
    pub fn log_at(level: i32, text: *const u8, size: u64);

    pub fn response_set_status_line(status: u32, reason: *const u8, size: u64);
    pub fn response_set_header(name: *const u8, name_size: u64, value: *const u8, value_size: u64);
    pub fn response_set_body(body: *const u8, size: u64);
    pub fn response_write(bytes: *const u8, size: u64) -> i64;

    pub fn request_method(to: *mut u8, size: u64) -> i64;
    pub fn request_target(to: *mut u8, size: u64) -> i64;
    pub fn request_path(to: *mut u8, size: u64) -> i64;
    pub fn request_query(to: *mut u8, size: u64) -> i64;
    pub fn request_client(to: *mut u8, size: u64) -> i64;
    pub fn request_headers(to: *mut u8, size: u64) -> i64;
    pub fn request_header(name: *const u8, name_size: u64, to: *mut u8, size: u64) -> i64;
    pub fn request_body(to: *mut u8, size: u64) -> i64;

    pub fn tcp_connect(address: *const u8, size: u64) -> i32;
    pub fn tcp_read(handle: i32, to: *mut u8, size: u64) -> i64;
    pub fn tcp_write(handle: i32, bytes: *const u8, size: u64) -> i64;
    pub fn tcp_close(handle: i32) -> i32;

    pub fn db_get(key: *const u8, key_size: u64, to: *mut u8, size: u64) -> i64;
    pub fn env_get(key: *const u8, key_size: u64, to: *mut u8, size: u64) -> i64;

    pub fn random_bytes(to: *mut u8, size: u64) -> i32;
    pub fn clock_wall() -> i64;
    pub fn clock_monotonic() -> i64;
    pub fn sleep(nanoseconds: i64);

    pub fn kv_get(key: *const u8, key_size: u64, to: *mut u8, size: u64) -> i64;
    pub fn kv_set(
        key: *const u8,
        key_size: u64,
        value: *const u8,
        value_size: u64,
        ttl_ms: i64,
    ) -> i32;
    pub fn kv_delete(key: *const u8, key_size: u64) -> i32;
    pub fn kv_increment(
        key: *const u8,
        key_size: u64,
        delta: i64,
        ttl_ms: i64,
        result: *mut i64,
    ) -> i32;
    pub fn kv_list(
        prefix: *const u8,
        prefix_size: u64,
        after: *const u8,
        after_size: u64,
        to: *mut u8,
        size: u64,
    ) -> i64;

    pub fn http_open(
        method: *const u8,
        method_size: u64,
        url: *const u8,
        url_size: u64,
        headers: *const u8,
        headers_size: u64,
        body: *const u8,
        body_size: u64,
        timeout_ms: i64,
    ) -> i32;
    pub fn http_status(handle: i32) -> i32;
    pub fn http_header(handle: i32, name: *const u8, name_size: u64, to: *mut u8, size: u64)
        -> i64;
    pub fn http_headers(handle: i32, to: *mut u8, size: u64) -> i64;
    pub fn http_read(handle: i32, to: *mut u8, size: u64) -> i64;
    pub fn http_close(handle: i32) -> i32;
}

#[link(wasm_import_module = "nur")]
extern "C" {
    pub fn nur_send(bytes: *const u8, length: usize);
    pub fn nur_log(text: *const u8, length: usize);
    pub fn nur_end();
}
