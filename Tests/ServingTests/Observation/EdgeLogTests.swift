import Glibc
import Metrics
import Reactor
import Telemetry
import Testing

@testable import Edge

@Suite("The log of the edge", .blocking)
struct EdgeLogTests {
  /// What came of one line of nginx's access log, whose `userAgent` has these bytes.
  private func received(userAgent: [UInt8]) throws -> (log: String, metrics: String) {
    var (sockets, pipe): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    #expect(socketpair(AF_UNIX, kind, 0, &sockets) == 0 && Glibc.pipe(&pipe) == 0)
    defer { for end in [sockets[1]] + pipe { close(end) } }
    let style = LogStyle(format: .json, level: .info, service: "nginx", version: "1", environment: "test")
    let logs = LogSink(style: style, descriptor: pipe[1])
    let registry = Registry(shards: 1)
    let log = EdgeLog(socket: sockets[0], logger: Logger(logs), answers: EdgeAnswers(registry))
    let head = #"<190>Nov 28 17:00:00 nginx: {"statusCode":"429","scope":"api","origin":"edge","userAgent":""#
    let datagram = Array(head.utf8) + userAgent + Array(#""}"#.utf8)
    #expect(send(sockets[1], datagram, datagram.count, 0) == datagram.count)
    log.ready(.readable)
    #expect(logs.close(deadlineMilliseconds: 5_000))
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = read(pipe[0], &bytes, bytes.count)
    var metrics: [UInt8] = []
    registry.render(.text, into: &metrics)
    return (String(decoding: bytes[..<max(0, count)], as: UTF8.self), String(decoding: metrics, as: UTF8.self))
  }

  @Test(
    "counts an answer and passes its line on, also if the client sent no UTF-8 or characters that terminals obey",
    arguments: [
      (Array("curl/8".utf8), "curl/8"), (Array("Gärtner".utf8), "Gärtner"),
      (Array("G".utf8) + [0xE4] + Array("rtner".utf8), "G\u{FFFD}rtner"),
      ([0x7F, 0xC2, 0x9B] + Array("31m".utf8), #"\u007f\u009b31m"#),
    ] as [([UInt8], String)])
  func userAgents(userAgent: [UInt8], written: String) throws {
    let (log, metrics) = try received(userAgent: userAgent)
    #expect(log == #"{"statusCode":"429","scope":"api","origin":"edge","userAgent":"\#(written)"}"# + "\n")
    let series = #"edge_requests_total{scope="api",origin="edge",status="429",status_class="4xx"} 1"#
    #expect(metrics.contains(series + "\n"))
  }
}
