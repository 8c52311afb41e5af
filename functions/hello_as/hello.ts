// The nur stream ABI in AssemblyScript.

import { stream, toBytes } from "../sdk/assemblyscript/nur";

const body = "Hello from AssemblyScript\n";

export function alloc(length: usize): usize {
  return heap.alloc(length);
}

export function poll_stream(data: usize, length: usize): void {
  // Nothing is sent to a client that closes before it has asked.
  if (length > 0) {
    stream.send(toBytes(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
        String.UTF8.byteLength(body).toString() + "\r\n\r\n" + body,
    ));
  }
  stream.end();
}
