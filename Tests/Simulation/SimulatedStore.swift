import CLinux
import Glibc
import Reactor
import TestSupport
import Values

@testable import Gardens

/// A database server as its clients see one, in simulated time. It accepts connections on a Unix socket and keeps
/// readings; in bad weather it cuts connections, answers late, refuses, and commits without answering.
final class SimulatedStore {
  /// The value that the server can never store.
  static let poison = 666.0

  let folder: String
  private let listener: Int32
  private(set) var table = StoredTable()
  private var sessions: [SimulatedSession] = []
  private var generator: SeededGenerator
  var weather: Weather
  /// The ends of the present outage and freeze, in nanoseconds.
  private var goneUntil: UInt64 = 0
  private var frozenUntil: UInt64 = 0
  private var nextSecond: UInt64 = 0
  /// How many segments ended without a whole answer.
  private(set) var lostAnswers = 0
  /// The events so far, for comparison with another run of the same seed.
  private(set) var history: [String] = []

  init(_ generator: SeededGenerator, _ weather: Weather) throws {
    self.generator = generator
    self.weather = weather
    var template = Array("/tmp/terroir-simulation.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array("\(folder)/.s.PGSQL.5432".utf8)) }
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard code == 0, listen(listener, 64) == 0 else { throw SystemError("bind \(folder)") }
  }

  deinit {
    for session in sessions { session.close() }
    close(listener)
    unlink("\(folder)/.s.PGSQL.5432")
    rmdir(folder)
  }

  // MARK: Time

  /// The next moment at which something is due, in nanoseconds.
  var nextDue: UInt64 { min(nextSecond, sessions.compactMap { $0.segments.first?.due }.min() ?? .max) }

  /// Does what is due and reads what has arrived; returns whether there was anything.
  func act(_ now: UInt64) -> Bool {
    if now >= nextSecond { changeWeather(now) }
    var hasActed = accept(now)
    for session in sessions {
      while session.read({ arrived($0, session, now) }) { hasActed = true }
      while let segment = session.segments.first, segment.due <= now {
        session.segments.removeFirst()
        answer(segment.messages, session)
        hasActed = true
      }
      if session.send() { hasActed = true }
    }
    sessions.removeAll(where: \.isOver)
    return hasActed
  }

  private func changeWeather(_ now: UInt64) {
    nextSecond = now + 1_000_000_000
    if generator.happens(weather.outage) {
      goneUntil = now + generator.milliseconds(10...4_000)
      note("gone")
      for session in sessions { session.close() }
    } else if generator.happens(weather.freeze) {
      frozenUntil = now + generator.milliseconds(10...8_000)
      note("frozen")
    }
  }

  private func accept(_ now: UInt64) -> Bool {
    var hasAccepted = false
    while true {
      let fd = accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
      if fd < 0 { return hasAccepted }
      hasAccepted = true
      if now < goneUntil { SimulatedSession.close(fd) } else { sessions.append(SimulatedSession(fd)) }
    }
  }

  private func arrived(_ messages: [WireMessage], _ session: SimulatedSession, _ now: UInt64) {
    var due = max(now, frozenUntil) + generator.milliseconds(0...30)
    if generator.happens(weather.delay) { due += generator.milliseconds(1_000...6_000) }
    // The segments of a connection are answered in order.
    due = max(due, session.segments.last?.due ?? 0)
    session.segments.append((due, messages))
  }

  private func note(_ event: String) { history.append(event) }

  // MARK: Answers

  private func answer(_ messages: [WireMessage], _ session: SimulatedSession) {
    if messages.isEmpty { return session.greet() }
    if generator.happens(weather.loss) {
      note("lost")
      return session.close()
    }
    let before = table
    var answer = WireWriter()
    var isGood = true
    for message in messages where isGood && message.type != "S" { isGood = run(message, session, &answer) }
    if !isGood { table = before }
    answer.message("Z", [UInt8(ascii: "I")])
    if generator.happens(weather.lostAnswer) {
      lostAnswers += 1
      // The answers before the Sync may be on their way when the commit fails.
      let isCommitted = isGood && generator.happens(0.5)
      if !isCommitted { table = before }
      note(isCommitted ? "committed in silence" : "died in silence")
      _ = session.send(Array(answer.bytes.prefix(Int.random(in: 0..<answer.bytes.count, using: &generator))))
      return session.close()
    }
    _ = session.send(answer.bytes)
  }

  /// Runs one message of a segment; returns false if it fails, and the rest of the segment with it.
  private func run(_ message: WireMessage, _ session: SimulatedSession, _ answer: inout WireWriter) -> Bool {
    switch message.type {
    case "P":
      session.prepare(message)
      answer.message("1")
      return true
    case "B":
      answer.message("2")
      return execute(session.text(of: message), message.bound.parameters, &answer)
    // Describe and Execute: their answers were written with that of the Bind.
    default: return true
    }
  }

  private func execute(_ text: String, _ parameters: [ArraySlice<UInt8>?], _ answer: inout WireWriter) -> Bool {
    if generator.happens(weather.refusal) {
      // Serialization failure, out of memory, disk full, statement cancelled by its timeout, lock not available.
      let sqlState = ["40001", "53200", "53100", "57014", "55P03"].randomElement(using: &generator)!
      note(sqlState)
      answer.error(severity: "ERROR", sqlState)
      return false
    }
    if StoredTable.values(parameters).contains(Self.poison) {
      answer.error(severity: "ERROR", "22003")
      return false
    }
    switch text {
    case RecentReadings.insertNew.text:
      guard table.insertNew(parameters) else {
        answer.error(severity: "ERROR", "23505")
        return false
      }
      answer.message("n")
    case RecentReadings.insert.text:
      let (fresh, transaction) = table.insert(parameters)
      note("\(fresh) fresh")
      answer.columns([20, 20])
      answer.row([UInt64(fresh), UInt64(transaction)])
    case RecentReadings.find.text:
      answer.columns([701, 20])
      for row in table.find(parameters) { answer.row([row?.value.bitPattern, row.map { UInt64($0.transaction) }]) }
    default: answer.message("n")
    }
    answer.message("C", Array("SELECT 1".utf8) + [0])
    return true
  }
}
