#!/usr/bin/env python3
"""backend.py FILE: listens on a loopback port, and answers each line that a connection sends by what
the line is. Writes that port to FILE, and another one that refuses connections for as long:

  hello       "world from backend"
  gate FILE   the same, once there is such a file; how many wait is in FILE.waits, a line each
  drip N      the same, one byte every N milliseconds
  hang        nothing, and keeps the connection
  close       nothing, and closes it
  reset       resets it
  flood N     N bytes
  count N     how many bytes follow it, of the N that it reads, slowly at first
"""
import asyncio
import os
import socket
import struct
import sys

ANSWER = b"world from backend\n"


async def answer(line, reader, writer):
    what, _, text = line.decode().strip().partition(" ")
    number = int(text) if text.isdigit() else 0
    if what == "gate":
        with open(text + ".waits", "a", encoding="utf-8") as file:
            file.write("waits\n")
        while not os.path.exists(text):
            await asyncio.sleep(0.02)
    if what in ("hello", "gate"):
        writer.write(ANSWER)
    elif what == "drip":
        for at in range(len(ANSWER)):
            writer.write(ANSWER[at:at + 1])
            await writer.drain()
            await asyncio.sleep(number / 1000)
    elif what == "hang":
        await reader.read()
    elif what == "close":
        writer.close()
    elif what == "reset":
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()
    elif what == "flood":
        writer.write(b"x" * number)
    elif what == "count":
        await asyncio.sleep(0.2)
        count = len(await reader.readexactly(number))
        writer.write(b"%d" % count)
    await writer.drain()


async def serve(reader, writer):
    try:
        while line := await reader.readline():
            await answer(line, reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    # Nobody else can have a port that is bound, and nobody listens on it.
    refusing = socket.socket()
    refusing.bind(("127.0.0.1", 0))
    with open(sys.argv[1] + ".new", "w", encoding="ascii") as file:
        file.write(f"{server.sockets[0].getsockname()[1]} {refusing.getsockname()[1]}")
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    await server.serve_forever()


asyncio.run(main())
