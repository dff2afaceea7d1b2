import Glibc
import JSON
import Reactor
import Secrets

/// A real SMTP server in a process of its own: aiosmtpd, which says on its output what it has taken.
final class MailServer: Sendable {
  let port: UInt16
  private let log: LogCapture
  private let process: pid_t

  struct NoPort: Error {
    let output: [String]
  }

  /// Starts one on a free port, or on that which one has had before.
  init(port wanted: UInt16 = 0) throws {
    let log = try LogCapture()
    self.log = log
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, log.writeEnd, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, log.writeEnd, STDERR_FILENO)
    // Debian's, for which the package is installed.
    let words = ["/usr/bin/python3", "-c", Self.program, "\(wanted)"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child = pid_t()
    let code = posix_spawn(&child, words[0], &actions, nil, &arguments, environ)
    if code != 0 { throw SystemError("posix_spawn", code: code) }
    process = child
    var port: UInt16 = 0
    _ = holds(within: 60) {
      port = log.lines.first.flatMap { UInt16($0) } ?? 0
      return port != 0
    }
    self.port = port
    if port == 0 { throw NoPort(output: log.lines) }
  }

  deinit {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
  }

  /// What it has taken: `from`, `to` and `data`, which is the message.
  var messages: [JSONValue] {
    log.lines.filter { $0.hasPrefix("{") }.compactMap { try? JSONReader.parse(Array($0.utf8)) }
  }

  /// The texts of the messages to an address.
  func texts(to address: String) -> [String] {
    messages.filter { $0["to"]?.text == address }.compactMap { message in
      let parts = message["data"]?.text?.split(separator: "\r\n\r\n", maxSplits: 1)
      let body = parts?.last?.filter { $0 != "=" && !$0.isNewline }
      return body.flatMap { Base64.standard.decode($0) }.map { String(decoding: $0, as: UTF8.self) }
    }
  }

  private static let program = """
    import asyncio, json, sys
    from aiosmtpd.smtp import SMTP
    class Handler:
        async def handle_MAIL(self, server, session, envelope, address, options):
            if address.startswith("refused"):
                return "553 not your address"
            envelope.mail_from = address
            return "250 OK"
        async def handle_RCPT(self, server, session, envelope, address, options):
            if address.startswith("refused"):
                return "550 no such mailbox"
            envelope.rcpt_tos.append(address)
            return "250 OK"
        async def handle_DATA(self, server, session, envelope):
            if envelope.rcpt_tos[0].startswith("unread"):
                return "554 not wanted here"
            print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos[0],
                              "data": envelope.content.decode("ascii")}), flush=True)
            return "250 OK"
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Handler(), loop=loop), "127.0.0.1", int(sys.argv[1]))
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()
    asyncio.run(main())
    """
}
