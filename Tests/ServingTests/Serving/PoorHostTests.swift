import Glibc
import TestSupport
import Testing

@testable import Settings

@Suite("A server on a host that gives it little", .blocking)
struct PoorHostTests {
  @Test("takes all descriptors that it may have, and says when they are too few for its connections")
  func descriptors() throws {
    let raised = try ServerProcess(shell: "ulimit -S -n 256; exec")
    _ = try raised.port()
    let limits = try Self.text(of: "/proc/\(raised.process)/limits").split(separator: "\n")
    let words = try #require(limits.first { $0.hasPrefix("Max open files") }).split(separator: " ")
    #expect(words[3] == words[4])
    let poor = try ServerProcess(shell: "ulimit -n 256; exec")
    #expect(try poor.number("connections", in: try poor.line("Fewer connections than HTTP_CONNECTIONS")) == 128)
    _ = try poor.port()
  }

  @Test("opens nothing of its own in the place of standard input that its parent has closed")
  func closedInput() throws {
    let server = try ServerProcess(shell: "exec 0<&-; exec")
    _ = try server.port()
    var path = [UInt8](repeating: 0, count: 64)
    let count = path.withUnsafeMutableBytes { readlink("/proc/\(server.process)/fd/0", $0.baseAddress!, $0.count) }
    #expect(String(decoding: path.prefix(count), as: UTF8.self) == "/dev/null")
  }

  /// The text of a file of the kernel's.
  private static func text(of path: String) throws -> String {
    String(decoding: try #require(File.read(path, maximumBytes: 1 << 16), "\(path)"), as: UTF8.self)
  }

  /// The first port on which every user may listen; containers often set it to 0.
  private static let firstFreePort: Int = {
    let text = try? Self.text(of: "/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return text.flatMap { Int($0.prefix { $0.isNumber }) } ?? 1_024
  }()

  @Test("says which right a port below 1024 takes", .enabled(if: firstFreePort > 80))
  func privilegedPort() throws {
    let shell = geteuid() == 0 ? "exec setpriv --bounding-set -net_bind_service" : "exec"
    let server = try ServerProcess(["serve"], ["PORT": "80"], shell: shell)
    #expect(server.wait() == 1)
    _ = try server.line("port 80 (PORT) may not be listened on")
  }

  @Test("ends with 1 when a result cannot be written whole")
  func fullDisk() throws {
    let command = try ServerProcess(["migrate", "--sql"], shell: "exec >/dev/full; exec")
    #expect(command.wait() == 1)
    _ = try command.line("write: No space left on device")
  }
}
