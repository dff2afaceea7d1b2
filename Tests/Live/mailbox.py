"""A real mail server in its own process: Debian's aiosmtpd, which prints the mails it accepts."""
import base64
import queue
import subprocess
import threading

PROGRAM = """
import asyncio, base64
from aiosmtpd.smtp import SMTP
class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(envelope.rcpt_tos[0], base64.b64encode(envelope.content).decode(), flush=True)
        return "250 OK"
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
PATIENCE = 60  # seconds to wait for a mail


class Mailbox:
    """Runs the server; `url` is its address."""

    def __enter__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
        self.url = f"smtp://127.0.0.1:{int(self.process.stdout.readline())}"
        self.mails = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def read(self):
        for line in self.process.stdout:
            self.mails.put(line.split())

    def next(self):
        """The address and the text of the next mail."""
        address, content = self.mails.get(timeout=PATIENCE)
        _, body = base64.b64decode(content).split(b"\r\n\r\n", 1)
        return address, base64.b64decode(body).decode()
