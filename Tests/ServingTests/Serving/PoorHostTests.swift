import Glibc
import TestSupport
import Testing

@testable import Settings

@Suite("A server on a restrictive host", .blocking)
struct PoorHostTests {
  @Test("raises its limit of descriptors as far as it may, and says if that is too low for its connections")
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

  @Test("opens /dev/null as standard input if its parent has closed that")
  func closedInput() throws {
    let server = try ServerProcess(shell: "exec 0<&-; exec")
    _ = try server.port()
    var path = [UInt8](repeating: 0, count: 64)
    let count = path.withUnsafeMutableBytes { readlink("/proc/\(server.process)/fd/0", $0.baseAddress!, $0.count) }
    #expect(String(decoding: path.prefix(count), as: UTF8.self) == "/dev/null")
  }

  /// The text of a file that the kernel provides.
  private static func text(of path: String) throws -> String {
    String(decoding: try #require(File.read(path, maximumBytes: 1 << 16), "\(path)"), as: UTF8.self)
  }

  /// The first port on which every user may listen; containers often set it to 0.
  private static let firstFreePort: Int = {
    let text = try? Self.text(of: "/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return text.flatMap { Int($0.prefix { $0.isNumber }) } ?? 1_024
  }()

  @Test("says which privilege a port below 1024 needs", .enabled(if: firstFreePort > 80))
  func privilegedPort() throws {
    let shell = geteuid() == 0 ? "exec setpriv --bounding-set -net_bind_service" : "exec"
    let server = try ServerProcess(["serve"], ["PORT": "80"], shell: shell)
    #expect(server.wait() == 1)
    _ = try server.line("port 80 (PORT) may not be listened on")
  }

  @Test("exits with 1 if a result cannot be written in full")
  func fullDisk() throws {
    let command = try ServerProcess(["migrate", "--sql"], shell: "exec >/dev/full; exec")
    #expect(command.wait() == 1)
    _ = try command.line("write: No space left on device")
  }
}
