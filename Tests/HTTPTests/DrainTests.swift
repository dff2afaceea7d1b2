import Glibc
import Reactor
import Synchronization
import TestSupport
import Testing

@testable import HTTP

@Suite("A server that shuts down")
struct DrainTests {
  @Test("finishes what is in flight, closes what is idle, and says when it is empty")
  func inFlight() throws {
    let server = try ConnectionTests.server()
    let idle = [RawClient(server), RawClient(server)]
    idle[1].send("\r")
    let busy = RawClient(server)
    busy.get("/slow/100")
    #expect(server.waits { $0.activeConnections == 1 && $0.openConnections == 3 })
    let isEmpty = Gate()
    server.onLoop { $0.shutDown(withinMilliseconds: 5_000) { isEmpty.open() } }
    for client in idle { #expect(client.receiveAll() == "") }
    let answer = try #require(busy.answer())
    #expect(answer.body == "slow 100")
    #expect(answer.fields["connection"] == "close")
    #expect(busy.receiveAll() == "")
    isEmpty.wait()
    #expect(server.onLoop { $0.openConnections } == 0)
  }

  @Test("answers a request that was on its way when the shutdown began")
  func onItsWay() throws {
    let server = try ConnectionTests.server()
    let fresh = RawClient(server)
    let kept = RawClient(server)
    kept.get("/live")
    #expect(kept.answer()?.status == 200)
    #expect(server.waits { $0.openConnections == 2 })
    let isEmpty = Gate()
    server.onLoop { $0.shutDown(withinMilliseconds: 5_000) { isEmpty.open() } }
    for client in [fresh, kept] {
      client.get("/live")
      let answer = client.answer()
      #expect(answer?.status == 200)
      #expect(answer?.fields["connection"] == "close")
    }
    isEmpty.wait()
  }

  @Test("breaks off what takes longer than the time it is given")
  func deadline() throws {
    let server = try ConnectionTests.server()
    let client = RawClient(server)
    client.get("/slow/400")
    #expect(server.waits { $0.activeConnections == 1 })
    let isEmpty = Gate()
    server.onLoop { $0.shutDown(withinMilliseconds: 50) { isEmpty.open() } }
    isEmpty.wait()
    #expect(client.receiveAll() == nil)
    #expect(server.waits { $0.activeConnections == 0 && $0.droppedAnswers == 1 })
  }

  @Test("accepts while it drains, and asks every client to leave")
  func draining() throws {
    var limits = HTTPLimits()
    limits.drainIdleMilliseconds = 100
    let server = try ConnectionTests.server(limits)
    let idle = RawClient(server)
    server.onLoop { $0.beginDraining() }
    let client = RawClient(server)
    client.get("/live")
    #expect(client.answer()?.fields["connection"] == "close")
    #expect(idle.receiveAll() == "")
    server.onLoop { $0.stopAccepting() }
    let late = RawClient(server)
    late.get("/live")
    #expect(late.answer() == nil)
  }

  @Test("can leave new connections waiting, and accept them later")
  func pausing() throws {
    let server = try ConnectionTests.server()
    server.onLoop { $0.pauseAccepting() }
    let client = RawClient(server)
    client.get("/live")
    // The kernel has the connection, and in each of these turns the loop would accept it.
    for _ in 0..<3 { #expect(server.onLoop { $0.openConnections } == 0) }
    server.onLoop { $0.resumeAccepting() }
    #expect(client.answer()?.status == 200)
  }

  @Test("loses no request of clients that leave when they are asked to")
  func noLostRequest() throws {
    let server = try ConnectionTests.server()
    let tally = Tally()
    let threads = try (0..<4).map { _ in
      try SystemThread(name: "client") {
        // Connects again whenever the server asks it to leave, until the server no longer listens.
        while true {
          let client = RawClient(server)
          guard client.isConnected else { return }
          var stays = true
          while stays {
            client.get("/live")
            guard let answer = client.answer() else {
              tally.lost.add(1, ordering: .relaxed)
              return
            }
            tally.answered.add(1, ordering: .relaxed)
            stays = answer.fields["connection"] == nil
          }
        }
      }
    }
    #expect(tally.reaches(100))
    server.onLoop { $0.beginDraining() }
    #expect(tally.reaches(100))
    let isEmpty = Gate()
    server.onLoop { $0.shutDown(withinMilliseconds: 5_000) { isEmpty.open() } }
    isEmpty.wait()
    for thread in threads { thread.join() }
    // The kernel may complete a handshake or two between the last accept and the close.
    #expect(tally.lost.load(ordering: .relaxed) <= 2)
    #expect(server.log.lines.count == tally.answered.load(ordering: .relaxed))
  }
}

private final class Tally: Sendable {
  let lost = Atomic<Int>(0)
  let answered = Atomic<Int>(0)

  /// Waits until `count` more requests were answered; returns false if they were not within a minute.
  func reaches(_ count: Int) -> Bool {
    let enough = answered.load(ordering: .relaxed) + count
    for _ in 0..<60_000 where answered.load(ordering: .relaxed) < enough { usleep(1_000) }
    return answered.load(ordering: .relaxed) >= enough
  }
}
