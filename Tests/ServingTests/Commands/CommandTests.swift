import CLinux
import Glibc
import Reactor
import Synchronization
import TestSupport
import Testing
import Values

@testable import Accounts
@testable import Commands
@testable import Edge
@testable import Settings

private let machine = Machine(processors: 4, randomSecret: String(repeating: "9", count: 64))

/// A run of the program: what it wrote, and how it ended.
private struct Run {
  let code: Int32
  let output: String
  let complaint: String

  init(
    _ arguments: [String], _ variables: [String: String] = [:], commands: [Command] = standard, input: String? = nil
  ) {
    let written = Collected()
    let complained = Collected()
    code = Program(commands).run(
      arguments, environment: RawEnvironment(variables: variables, machine: machine),
      console: Console(write: written.add, complain: complained.add, readSecret: { _ in input.map { Array($0.utf8) } }))
    output = written.text
    complaint = complained.text
  }
}

private final class Collected: Sendable {
  private let parts = Mutex("")
  var text: String { parts.withLock { $0 } }
  func add(_ text: String) { parts.withLock { $0 += text } }
}

private let standard: [Command] = [
  Command(
    "serve", "Serves.",
    body: .configured { configuration, invocation in
      try invocation.console.write("serving on \(configuration.listening.port)")
      return ExitCode.success
    }),
  Command("migrate", "Migrates.", body: .configured { _, _ in throw SystemError("migrate", code: EIO) }),
  Command("routes", "Lists the routes.", body: .plain { _ in 7 }), .healthcheck, .watch, .config, .version,
  Command(
    "user promote", operands: ["EMAIL"], "Makes a user an administrator.",
    body: .plain { invocation in
      try invocation.console.write(invocation.operands[0])
      return ExitCode.success
    }),
]

@Test("runs the command that is asked for")
func runsCommands() {
  #expect(Run(["serve"], ["PORT": "8080"]).output == "serving on 8080")
  #expect(Run(["routes"]).code == 7)
  #expect(Run(["user", "promote", "a@b"]).output == "a@b")
  let failed = Run(["migrate"])
  #expect(failed.code == 1)
  #expect(failed.complaint == "terroir: migrate: Input/output error\n")
}

@Test(
  "refuses a wrong command line with exit code 64",
  arguments: [
    [], ["nonsense"], ["serve", "now"], ["serve", "--now"], ["config", "--markdown=x"],
    ["config", "--markdown", "--markdown"], ["healthcheck", "--path"], ["user"], ["user", "promote"],
    ["user", "promote", "a", "b"], ["help", "nonsense"], ["help", "user", "promote", "x"], ["--nonsense"], [""],
  ])
func usageFaults(arguments: [String]) {
  let run = Run(arguments)
  #expect(run.code == 64)
  #expect(run.output.isEmpty)
  #expect(!run.complaint.isEmpty)
}

@Test("shows help for itself and for each command")
func helpTexts() {
  for arguments in [["help"], ["--help"], ["-h"], ["help", "--help"], ["help", "help"]] {
    let run = Run(arguments)
    #expect(run.code == 0)
    for command in standard { #expect(run.output.contains("\n  \(command.name) ")) }
  }
  for command in standard {
    let words = command.name.split(separator: " ").map(String.init)
    let run = Run(words + ["--help"])
    #expect(run.code == 0)
    #expect(run.output.contains("Usage: terroir \(command.name)"))
    #expect(run.output == Run(["help"] + words).output)
  }
}

@Test("shows optional arguments in brackets, and required ones without")
func helpOfOptions() {
  let usage = Run(["help", "watch"]).output.split(separator: "\n")[1]
  #expect(usage.hasPrefix("Usage: terroir watch --url URL [--metrics URL] [--for TIME]"))
}

@Test(
  "lists the commands that share a first word", arguments: [["user", "--help"], ["help", "user"], ["user", "-h"]])
func helpOfAGroup(arguments: [String]) {
  let run = Run(arguments)
  #expect(run.code == 0)
  #expect(run.complaint == "")
  #expect(run.output.contains("\n  user promote EMAIL  Makes a user an administrator."))
}

@Test("says that the database has no tables yet when a user is promoted before the migration")
func promotionBeforeMigration() throws {
  let url = try TestStores.databaseURL
  let empty = url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3Dpg_temp"
  let run = Run(["user", "promote", "ada@example.org"], ["DATABASE_URL": empty], commands: [.promote])
  #expect(run.code == 1)
  #expect(run.complaint == "terroir user promote: the database has no tables yet; run terroir migrate first\n")
}

@Test("creates, lists, disables and recovers accounts by the rules of registration")
func accountCommands() throws {
  let server = try LiveServer.shared.get()
  let email = "\(Identifier.make(unixMilliseconds: Clock.unixMilliseconds()))@example.org"
  func run(_ words: String..., input: String? = nil) -> Run {
    Run(["user"] + words, ["DATABASE_URL": server.databaseURL], commands: Command.accounts, input: input)
  }
  let client = Client(server)
  func signIn(_ password: String) throws -> Reply {
    try client.post("/api/sessions", #"{"email":"\#(email)","password":"\#(password)"}"#)
  }
  #expect(run("create", email).complaint == "terroir user create: standard input has no password\n")
  #expect(run("create", email, input: "short").complaint.contains("must have at least 12 characters"))
  #expect(
    run("create", email, input: "a\tlong enough password").complaint.contains("must not contain control characters"))
  #expect(run("create", "nonsense", input: "a long enough password").complaint.contains("email must be an email"))
  #expect(run("create", email, "--name", "Ada", input: "a long enough password").code == 0)
  #expect(run("create", email.uppercased(), input: "a long enough password").complaint.contains("already exists"))
  #expect(run("list").output.contains("\(email)\tAda\tuser\tenabled\t"))
  let token = try #require(try signIn("a long enough password").json["accessToken"]?.text)
  let user = Client(server, token: token)
  let program = Client(server, token: try user.makeToken([.read]))
  #expect(try program.get("/api/users/me").status == 200)

  #expect(run("password", email, input: "another long password").code == 0)
  #expect(try signIn("a long enough password").status == 401)
  #expect(try signIn("another long password").status == 201)
  for client in [user, program] { #expect(try holds { try client.get("/api/users/me").status == 401 }) }
  #expect(run("disable", email).code == 0)
  #expect(try signIn("another long password").status == 401)
  #expect(run("enable", email).code == 0)
  #expect(try signIn("another long password").status == 201)
  #expect(run("disable", "nobody@example.org").complaint.contains("there is no account"))
}

@Test(
  "reads a password from the first line of standard input, and refuses one that is not UTF-8",
  arguments: [
    (#"G\303\244rten \303\274ber alles\r\nand more"#, 0), ("no end of the line", 0),
    (#"G\344rten \374ber alles 12\n"#, 1), (#"bad\377\376utf8 long password"#, 1), ("", 1),
  ] as [(String, Int32)])
func passwordLine(input: String, code: Int32) throws {
  let server = try LiveServer.shared.get()
  let email = "\(Identifier.make(unixMilliseconds: Clock.unixMilliseconds()))@example.org"
  let command = try ServerProcess(
    ["user", "create", email], ["DATABASE_URL": server.databaseURL], shell: "printf '\(input)' |")
  #expect(command.wait() == code)
  if code != 0 { return }
  let password = input.hasPrefix("G") ? "Gärten über alles" : input
  let session = try Client(server).post("/api/sessions", #"{"email":"\#(email)","password":"\#(password)"}"#)
  #expect(session.status == 201)
}

@Test("ends sessions, which can make no token from then on although the server still remembers them")
func endedByCommand() throws {
  let server = try LiveServer.shared.get()
  let (client, id) = try server.signedIn()
  func run(_ command: String) -> Int32 {
    Run(["user", command, "\(id)@example.org"], ["DATABASE_URL": server.databaseURL], commands: Command.accounts).code
  }
  #expect(try client.get("/api/users/me").status == 200)
  #expect(run("disable") == 0 && run("enable") == 0)
  #expect(try client.post("/api/tokens", #"{"name":"a","scopes":["read"]}"#).status == 401)
  #expect(try holds { try client.get("/api/users/me").status == 401 })
}

@Test("ends sessions by the database's clock, whatever this machine's says")
func disablingByCommand() throws {
  let server = try LiveServer.shared.get()
  let (_, id) = try server.signedIn()
  let settings = ["DATABASE_URL": server.databaseURL]
  let command = try WrongClock.shared.get().process(-3_600, ["user", "disable", "\(id)@example.org"], settings)
  #expect(command.wait() == 0)
  let isNow = try server.withDatabase { database in
    try await database.query(
      "SELECT bool_and(revoked_at > now() - interval '10 minutes') FROM sessions WHERE user_id = \(id)"
    )[0].decode(Bool.self, 0)
  }
  #expect(isNow)
}

@Test("turns the terminal's echo back on when a signal ends it at the password prompt", arguments: [SIGINT, SIGTERM])
func silentTerminal(signal: Int32) throws {
  // ioctl_tty(2): TIOCSPTLCK unlocks the other end of a pseudoterminal, TIOCGPTN returns its number.
  let (unlock, number): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
  let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
  defer { close(terminal) }
  var (lock, place): (Int32, Int32) = (0, 0)
  #expect(ioctl(terminal, unlock, &lock) == 0 && ioctl(terminal, number, &place) == 0)
  let typing = open("/dev/pts/\(place)", O_RDWR | O_NOCTTY)
  defer { close(typing) }
  func shows() -> Bool {
    var settings = termios()
    return tcgetattr(typing, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
  }
  #expect(shows())
  let command = try ServerProcess(
    ["user", "create", "ada@example.org"], shell: "exec 0<&3; exec", passing: typing)
  #expect(holds { !shows() })
  command.signal(signal)
  #expect(command.wait() == -1)
  #expect(shows())
}

@Test("lists every fault of the configuration and ends with 78")
func configurationFaults() {
  for command in ["serve", "migrate", "config", "healthcheck"] {
    let run = Run([command], ["PORT": "x", "CACHE": "y"])
    #expect(run.code == 78)
    #expect(run.output.isEmpty)
    #expect(
      run.complaint
        == "The configuration has 2 faults:\n  PORT: \"x\" is not a port of 0 to 65535\n  CACHE: \"y\" is not on or off\n"
    )
  }
}

@Test("shows the configuration, and the table of settings")
func configCommand() {
  let run = Run(["config"], ["JWT_SECRET": "hunter2"])
  #expect(run.code == 0)
  #expect(run.output.contains("PORT=3000  # default\n"))
  #expect(!run.output.contains("hunter2"))
  #expect(run.complaint == "warning: JWT_SECRET is shorter than 32 bytes\n")
  #expect(Run(["config", "--markdown"], ["PORT": "x"]).output == Configuration.markdown)
}

@Test("shows the version")
func versionCommand() {
  let unknown = "terroir \(Version.number) (revision unknown, Swift \(Version.swift))\n"
  #expect(Run(["version"]).output == unknown)
  #expect(Run(["--version"]).output == unknown)
  #expect(
    Run(["version"], ["SERVICE_VERSION": "2.0", "REVISION": "abc"]).output.hasPrefix("terroir 2.0 (revision abc, "))
}

@Test(
  "asks a server for its health",
  arguments: [("200 OK", 0), ("503 Service Unavailable", 1), ("404 Not Found", 1)] as [(String, Int32)])
func healthcheck(status: String, code: Int32) throws {
  let server = try OneAnswer("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
  let run = Run(["healthcheck"], ["PORT": "\(server.port)"])
  #expect(run.code == code)
  #expect(run.output == "http://127.0.0.1:\(server.port)/readyz answers \(status.prefix(3))\n")
  #expect(server.finish().hasPrefix("GET /readyz HTTP/1.1\r\n"))
}

@Test("checks the health at another path or of another server")
func healthcheckElsewhere() throws {
  let server = try OneAnswer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
  let run = Run(["healthcheck", "--path=/livez", "--url", "http://127.0.0.1:\(server.port)/"])
  #expect(run.code == 0)
  #expect(server.finish().hasPrefix("GET /livez HTTP/1.1\r\n"))
  #expect(Run(["healthcheck", "--url", "https://h"]).code == 64)
}

@Test(
  "says which argument of watch is wrong, and watches nothing",
  arguments: [
    ([], "--url is missing"), (["--url", "https://h"], "--url must be a URL such as http://127.0.0.1:3000"),
    (["--metrics", "h"], "--metrics must be"), (["--compare", "h"], "--compare must be"),
    (["--for", "10"], "--for must be a time such as 10m"), (["--every", "0s"], "--every must be a time such as 5s"),
    (["--max-p95", "-1s"], "--max-p95 must be a time such as 200ms"),
    (["--max-error-ratio", "1.5"], "--max-error-ratio must be a share of 0 to 1"),
    (["--max-error-ratio", "nan"], "--max-error-ratio must be a share of 0 to 1"),
    (["--min-requests", "0"], "--min-requests must be a count of 1 to 1000000"),
    (["--probe", "2"], "--probe must be a rate of 0/s to 100/s"), (["--for", "1s"], "--every is longer than --for"),
  ] as [([String], String)])
func watchMisuse(arguments: [String], complaint: String) {
  let server = arguments.isEmpty || arguments[0] == "--url" ? [] : ["--url", "http://127.0.0.1:9"]
  let run = Run(["watch"] + server + arguments)
  #expect(run.code == 64)
  #expect(run.output.isEmpty)
  #expect(run.complaint.hasPrefix("terroir watch: \(complaint)"))
}

@Test("a watch judges a server that is not there as worse, in a sentence or as JSON")
func watchNobody() {
  let arguments = ["watch", "--url", "http://127.0.0.1:9", "--for", "200ms", "--every", "100ms"]
  let run = Run(arguments)
  #expect(run.code == 1)
  #expect(run.output == "Worse: the server was not ready twice in a row.\n")
  let json = Run(arguments + ["--json"]).output
  #expect(json.hasPrefix(#"{"verdict":"worse","reason":"the server was not ready twice in a row","seconds":"#))
}

@Test("a watch tells its own requests from those of clients")
func watchClients() throws {
  let server = try ServerProcess()
  let arguments = ["watch", "--url", "http://127.0.0.1:\(try server.port())", "--for", "2s", "--every", "500ms"]
  let run = Run(arguments + ["--probe", "100/s", "--min-requests", "1", "--max-p95", "10s"])
  #expect(run.output.hasPrefix("Fine: "), "\(run.output)")
  #expect(run.output.contains(" (0 by clients), "), "\(run.output)")
}

@Test("a health check fails in time when the server is mute or not there")
func healthcheckFailures() throws {
  let mute = try OneAnswer(nil)
  let run = Run(["healthcheck"], ["PORT": "\(mute.port)"])
  #expect(run.code == 1)
  #expect(run.complaint.hasSuffix("timed out\n"))
  // Its own time-out ends it, before the Dockerfile's three seconds are over.
  #expect(Command.healthcheckMilliseconds < 3_000)
  _ = mute.finish()
  #expect(Run(["healthcheck"], ["PORT": "\(mute.port)"]).complaint.contains("connection failed"))
}

@Test("a health check kills a server that has been mute for too long, but not when nothing listens")
func healthcheckKill() throws {
  let server = try ServerProcess()
  let settings = ["PORT": "\(try server.port())"]
  func check() -> Run { Run(["healthcheck", "--path", "/livez", "--kill-after", "1"], settings) }
  let well = check()
  #expect(well.code == 0, "\(well.output)\(well.complaint)")
  server.signal(SIGSTOP)
  // On a busy machine it may answer once more before all of its threads have stopped.
  var first = check()
  for _ in 0..<100 where first.code == 0 { first = check() }
  #expect(first.code == 1 && !first.complaint.contains("Killed"))
  #expect(check().complaint.contains("Killed the mute server \(server.process)."))
  #expect(server.wait() == -1)
  #expect(check().complaint.contains("connection failed"))
  for seconds in ["0", "+5"] { #expect(Run(["healthcheck", "--kill-after", seconds]).code == 64) }
  #expect(Run(["healthcheck", "--kill-after", "9", "--url", "http://127.0.0.1:1"]).code == 64)
}

@Test("an address is a numeric host and a port, the port in digits only")
func socketAddress() throws {
  let address = try #require(SocketAddress("[::1]:5140"))
  #expect(address.host == "::1" && address.port == 5_140)
  for text in ["127.0.0.1:+514", "127.0.0.1:-1", "127.0.0.1:", "127.0.0.1", "localhost:514", ":514", "::1"] {
    #expect(SocketAddress(text) == nil, "\(text)")
  }
}

/// A server on a real socket that answers one request with `answer`, or never if that is nil.
private final class OneAnswer: Sendable {
  let port: UInt16
  private let fd: Int32
  private let request = Mutex("")
  private let thread = Mutex<SystemThread?>(nil)

  init(_ answer: String?) throws {
    (fd, port) = try Loopback.listen()
    guard let answer else { return }
    let thread = try SystemThread(name: "answer") { [self] in
      let connection = accept(fd, nil, nil)
      guard connection >= 0 else { return }
      var chunk = [UInt8](repeating: 0, count: 4_096)
      let count = recv(connection, &chunk, chunk.count, 0)
      request.withLock { $0 = String(decoding: chunk[..<max(0, count)], as: UTF8.self) }
      _ = send(connection, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
      close(connection)
    }
    self.thread.withLock { $0 = thread }
  }

  /// Ends the server and returns the request that it received.
  func finish() -> String {
    shutdown(fd, Int32(SHUT_RDWR))
    thread.withLock { $0?.join() }
    close(fd)
    return request.withLock { $0 }
  }
}
