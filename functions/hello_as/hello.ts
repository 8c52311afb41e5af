// The nur stream ABI in AssemblyScript.

@external("nur", "nur_send") declare function nur_send(bytes: usize, length: usize): void;
@external("nur", "nur_end") declare function nur_end(): void;

const body = "Hello from AssemblyScript\n";

export function alloc(length: usize): usize {
  return heap.alloc(length);
}

export function poll_stream(data: usize, length: usize): void {
  // Nothing is sent to a client that closes before it has asked.
  if (length > 0) {
    const response = String.UTF8.encode(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
        String.UTF8.byteLength(body).toString() + "\r\n\r\n" + body,
    );
    nur_send(changetype<usize>(response), response.byteLength);
  }
  nur_end();
}
