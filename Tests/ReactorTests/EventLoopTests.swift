import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Reactor

/// Runs `body` on a new loop with its own thread until it stops the loop, and returns the lines that it noted.
func onLoop(_ body: @escaping @Sendable (EventLoop, Log) -> Void) throws -> [String] {
  let log = Log()
  let thread = try SystemThread(name: "test-loop") {
    guard let loop = try? EventLoop(index: 0) else { return }
    loop.schedule(afterNanoseconds: 0) { [unowned loop] in body(loop, log) }
    loop.run()
  }
  thread.join()
  return log.lines
}

@Suite("An event loop")
struct EventLoopTests {
  @Test("fires timers in the order of their deadlines and never a cancelled one")
  func timers() throws {
    let lines = try onLoop { loop, log in
      loop.schedule(afterNanoseconds: 20_000_000) { log.note("second") }
      loop.schedule(afterNanoseconds: 1_000_000) { log.note("first") }
      let cancelled = loop.schedule(afterNanoseconds: 5_000_000) { log.note("cancelled") }
      loop.cancel(cancelled)
      loop.schedule(afterNanoseconds: 30_000_000) { loop.stop() }
    }
    #expect(lines == ["first", "second"])
  }

  @Test("runs a task at once until it suspends, and resumes it on its own thread")
  func tasks() throws {
    let lines = try onLoop { loop, log in
      loop.spawn {
        log.note("starts")
        await loop.sleep(nanoseconds: 1_000_000)
        log.note("resumes on the loop: \(loop.executor.isCurrent)")
        loop.stop()
      }
      log.note("goes on")
    }
    #expect(lines == ["starts", "goes on", "resumes on the loop: true"])
  }

  @Test("reuses ended tasks for what is spawned later, also from within a task, and keeps nothing of what has ended")
  func spareTasks() throws {
    let lines = try onLoop { loop, log in
      var isGone: [() -> Bool] = []
      var left = 6
      func check() {
        log.note("\(isGone.filter { $0() }.count) are gone")
        loop.spawn { log.note("again") }
        log.note("goes on")
        loop.stop()
      }
      for number in 0..<6 {
        let part = Part {}
        isGone.append { [weak part] in part == nil }
        loop.spawn {
          log.note("\(number) begins")
          await loop.sleep(nanoseconds: 1_000_000)
          loop.spawn { log.note("\(number) inside") }
          withExtendedLifetime(part) { log.note("\(number) ends") }
          left -= 1
          if left == 0 { loop.schedule(afterNanoseconds: 0, check) }
        }
      }
    }
    #expect(lines.prefix(6) == (0..<6).map { "\($0) begins" }[...])
    // Timers of the same moment fire in any order.
    let pairs = stride(from: 6, to: 18, by: 2).map { Array(lines[$0..<$0 + 2]) }.sorted { $0[0] < $1[0] }
    #expect(pairs == (0..<6).map { ["\($0) inside", "\($0) ends"] })
    #expect(lines.suffix(3) == ["6 are gone", "again", "goes on"])
  }

  @Test("gives a task's local values to no other task")
  func taskLocals() throws {
    let lines = try onLoop { loop, log in
      loop.spawn {
        await Mark.$name.withValue("first") {
          loop.spawn { log.note(Mark.name) }
          await loop.sleep(nanoseconds: 1_000_000)
          log.note(Mark.name)
        }
        loop.schedule(afterNanoseconds: 0) {
          loop.spawn { log.note(Mark.name) }
          loop.stop()
        }
      }
    }
    #expect(lines == ["nobody", "first", "nobody"])
  }

  @Test("keeps the order of what another thread submits")
  func mailbox() throws {
    let lines = try onLoop { loop, log in
      let executor = loop.executor
      nonisolated(unsafe) let loop = loop
      SystemThread.detached("sender") {
        for number in 0..<1_000 { executor.submit { log.note("\(number)") } }
        executor.submit { loop.stop() }
      }
    }
    #expect(lines == (0..<1_000).map(String.init))
  }

  @Test("loses nothing that many threads submit at once")
  func manySenders() throws {
    let lines = try onLoop { loop, log in
      let executor = loop.executor
      nonisolated(unsafe) let loop = loop
      let done = Counter()
      for _ in 0..<4 {
        SystemThread.detached("sender") {
          for _ in 0..<5_000 {
            executor.submit {
              done.value += 1
              if done.value == 20_000 {
                log.note("all")
                loop.stop()
              }
            }
          }
        }
      }
    }
    #expect(lines == ["all"])
  }

  @Test("delivers no event of a closed descriptor, even when its number is reused")
  func staleEvents() throws {
    let lines = try onLoop { loop, log in
      var pipes: [(Int32, Int32)] = []
      for _ in 0..<2 {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        pipes.append((ends[0], ends[1]))
        write(ends[1], "x", 1)
      }
      let (first, second) = (pipes[0].0, pipes[1].0)
      // Whichever handler is called first closes the other's descriptor and opens a quiet pipe in its place.
      func replace(_ other: Int32, by name: String) {
        log.note("called once")
        loop.remove(other)
        close(other)
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        let quiet = ends.contains(other) ? other : dup2(ends[0], other)
        try? loop.add(quiet, .readable, Handler { log.note("stale event for \(name)") })
        loop.schedule(afterNanoseconds: 5_000_000) { loop.stop() }
      }
      try? loop.add(
        first, .readable,
        Handler {
          loop.remove(first); replace(second, by: "second")
        })
      try? loop.add(
        second, .readable,
        Handler {
          loop.remove(second); replace(first, by: "first")
        })
    }
    #expect(lines == ["called once"])
  }

  @Test("flushes once at the end of the turn, after the turn's work")
  func turnEnd() throws {
    let lines = try onLoop { loop, log in
      let part = Part { log.note("flushed") }
      loop.atEndOfTurn(part)
      log.note("works")
      loop.schedule(afterNanoseconds: 2_000_000) { loop.stop() }
    }
    #expect(lines == ["works", "flushed"])
  }

  @Test("a pending value reaches tasks that wait for it before and after it is set")
  func pending() throws {
    let lines = try onLoop { loop, log in
      let pending = Pending<Int>()
      for _ in 0..<2 { loop.spawn { log.note("\((try? await pending.value()) ?? -1)") } }
      loop.schedule(afterNanoseconds: 1_000_000) {
        pending.complete(.success(7))
        pending.complete(.success(8))
        loop.spawn {
          log.note("late \((try? await pending.value()) ?? -1)")
          await loop.sleep(nanoseconds: 1_000_000)
          loop.stop()
        }
      }
    }
    #expect(lines.sorted() == ["7", "7", "late 7"])
  }

  @Test("a timer heap returns timers in order, whichever are cancelled", arguments: [1, 2, 3, 4, 5] as [UInt64])
  func heap(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var heap = TimerHeap()
    var expected: [UInt64] = []
    var fired: [UInt64] = []
    var timers: [Timer] = []
    for _ in 0..<500 {
      let deadline = generator.next() % 1_000
      timers.append(heap.add(deadline: deadline) {})
    }
    for timer in timers {
      if generator.next() % 3 == 0 { heap.cancel(timer) } else { expected.append(timer.deadline) }
    }
    while let next = heap.next {
      fired.append(next)
      _ = heap.popDue(next)
    }
    #expect(fired == expected.sorted())
    #expect(heap.count == 0)
  }
}

private enum Mark { @TaskLocal static var name = "nobody" }

private final class Counter: @unchecked Sendable { var value = 0 }

private final class Handler: EventHandler {
  let call: () -> Void
  init(_ call: @escaping () -> Void) { self.call = call }
  func ready(_ readiness: Readiness) { call() }
}

private final class Part: TurnEnd {
  let call: () -> Void
  init(_ call: @escaping () -> Void) { self.call = call }
  func flush() { call() }
}

#if DEBUG
  @Suite("A loop that is used on another thread")
  struct MisuseTests {
    @Test("stops a debug build")
    func otherThread() async {
      await #expect(processExitsWith: .failure) {
        nonisolated(unsafe) let loop = try EventLoop(index: 0)
        _ = try SystemThread(name: "loop") { loop.run() }
        while !loop.executor.hasThread { sched_yield() }
        loop.schedule(afterNanoseconds: 0) {}
      }
    }
  }
#endif

@Suite("Tasks that wait for the same value")
struct SharedWaitTests {
  @Test("time out independently of each other")
  func patience() throws {
    let log = try onLoop { loop, log in
      let list = WaitList(on: loop)
      for (name, milliseconds) in [("short", UInt64(20)), ("long", 60_000)] {
        loop.spawn {
          let came = await list.wait(nanoseconds: milliseconds * 1_000_000)
          log.note("\(name) \(came)")
          if name == "short" { list.release() } else { loop.stop() }
        }
      }
    }
    #expect(log == ["short false", "long true"])
  }

  @Test("let one of them load it, and share its value or its error")
  func singleFlight() throws {
    struct Fault: Error {}
    let log = try onLoop { loop, log in
      let flights = SingleFlight<Int, String>()
      let door = WaitList(on: loop)
      var ended = 0
      for key in [1, 1, 2, 2] {
        loop.spawn {
          let value = try? await flights.value(of: key) {
            log.note("loads \(key)")
            _ = await door.wait(nanoseconds: 60_000_000_000)
            if key == 2 { throw Fault() }
            return "of \(key)"
          }
          log.note(value ?? "fault of \(key)")
          ended += 1
          if ended == 4 { loop.stop() }
        }
      }
      loop.schedule(afterNanoseconds: 1_000_000) { door.release() }
    }
    #expect(log.sorted() == ["fault of 2", "fault of 2", "loads 1", "loads 2", "of 1", "of 1"])
  }

  @Test("discard an answer asked for before an invalidation, and count the age of others from the question")
  func questions() {
    var memory = ShortMemory<Int, String>(lifetimeNanoseconds: 10, capacity: 2)
    let early = memory.question(at: 0)
    memory.keep("a", of: 1, early)
    #expect(memory.value(of: 1, at: 9) == "a" && memory.value(of: 1, at: 10) == nil)
    let forgettings: [(inout ShortMemory<Int, String>) -> Void] = [
      { $0.forget(2) }, { $0.forget { $0 == "b" } }, { $0.forgetAll() },
    ]
    for forget in forgettings {
      let question = memory.question(at: 20)
      forget(&memory)
      memory.keep("b", of: 2, question)
      #expect(memory.lastValue(of: 2) == nil)
    }
  }

  @Test("remember values for a while, and only up to a bound")
  func memory() {
    var memory = ShortMemory<Int, String?>(lifetimeNanoseconds: 10, capacity: 2)
    memory.keep("a", of: 1, at: 0)
    memory.keep(nil, of: 2, at: 5)
    #expect(memory.value(of: 1, at: 9) == "a" && memory.value(of: 1, at: 10) == nil)
    #expect(memory.value(of: 2, at: 10) == .some(nil) && memory.lastValue(of: 1) == "a")
    memory.forget { $0 == "a" }
    #expect(memory.lastValue(of: 1) == nil)
    memory.keep("c", of: 3, at: 5)
    memory.keep("d", of: 4, at: 5)
    #expect(memory.value(of: 2, at: 6) == nil && memory.value(of: 4, at: 6) == "d")
  }
}
