"""A connection to Postgres that delays everything. usage: slow_line.py PORT TO-PORT SECONDS"""
import asyncio
import sys

PORT, TO, SECONDS = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])


async def carry(reader, writer, seconds):
    loop, queue = asyncio.get_running_loop(), asyncio.Queue()

    async def deliver():
        while (item := await queue.get()) is not None:
            due, part = item
            await asyncio.sleep(max(0, due - loop.time()))
            writer.write(part)
        writer.close()

    delivery = asyncio.create_task(deliver())
    while part := await reader.read(1 << 16):
        queue.put_nowait((loop.time() + seconds, part))
    queue.put_nowait(None)
    await delivery


async def accept(reader, writer):
    there = await asyncio.open_connection("127.0.0.1", TO)
    await asyncio.gather(carry(reader, there[1], SECONDS), carry(there[0], writer, 0), return_exceptions=True)


async def main():
    async with await asyncio.start_server(accept, "127.0.0.1", PORT) as server:
        await server.serve_forever()


asyncio.run(main())
