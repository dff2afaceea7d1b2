import Glibc
import Reactor
import TestSupport
import Testing

@Suite("A process that a test starts", .blocking)
struct SpawnTests {
  @Test("does not inherit a connection of another test, which ends when that test closes it")
  func connections() throws {
    let (listener, port) = try Loopback.listen()
    defer { close(listener) }
    let client = Loopback.socket()
    defer { close(client) }
    try #require(Loopback.connect(client, to: port))
    let server = accept(listener, nil, nil)
    let process = try ChildProcess.spawn(["sleep", "600"])
    defer {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
    close(server)
    var end = pollfd(fd: client, events: Int16(POLLIN), revents: 0)
    #expect(poll(&end, 1, 60_000) == 1)
  }

  @Test("is not started without a descriptor that it is to get")
  func missing() {
    #expect(throws: SystemError.self) {
      try ChildProcess.spawn(["true"], descriptors: [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, -1])
    }
  }
}
