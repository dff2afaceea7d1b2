import CLinux
import Glibc
import Reactor
import Synchronization
import Testing

@testable import Telemetry

@Test("writes a pending line within 50 ms, without any flush")
func promptness() throws {
  let pipe = LogPipe()
  let sink = LogSink(style: .json(), descriptor: pipe.writing)
  let logger = Logger(sink)
  // The second line of each pair comes while the writing thread gathers lines.
  for _ in 0..<10 {
    logger.log(.info, "first")
    usleep(2_000)
    logger.log(.info, "second")
    var waited = 0
    var text = ""
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while !text.contains("second"), waited < 500 {
      var descriptor = pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0)
      if poll(&descriptor, 1, 1) == 1 {
        let count = read(pipe.reading, &chunk, chunk.count)
        text += String(decoding: chunk[..<count], as: UTF8.self)
      }
      waited += 1
    }
    // Nominally 50 ms; the machine that tests run on has other work.
    #expect(waited < 250)
  }
  #expect(sink.close(deadlineMilliseconds: 5_000))
  _ = pipe.finish()
}

@Test("drops and counts lines while the pipe is blocked, and says so afterwards")
func blockedPipe() throws {
  let pipe = LogPipe()
  let sink = LogSink(style: .json(), descriptor: pipe.writing)
  // More than the pipe's 64 KiB, so that the last write waits, however late the writing thread runs.
  let logger = Logger(sink, capacity: 131_072)
  let total = 5_000
  for number in 0..<total { logger.log(.info, "line") { $0.field("number", number) } }
  // The pipe and the ring hold 192 KiB: most of the 700 KB was dropped, and logging waited for none of it.
  let dropped = Int(logger.droppedLines)
  #expect(dropped > total / 2)
  #expect(sink.droppedLines == UInt64(dropped))
  #expect(!sink.close(deadlineMilliseconds: 20))

  nonisolated(unsafe) var lines: [String] = []
  let done = Wake()
  SystemThread.detached("reader") {
    lines = pipe.readToEnd()
    done.call()
  }
  #expect(sink.close(deadlineMilliseconds: 30_000))
  close(pipe.writing)
  #expect(done.wait(milliseconds: 5_000))
  var reported = 0
  var written = 0
  for line in lines {
    let members = try LineReader.members(line)
    if members[2].value == "Log lines dropped" { reported += Int(members.last!.value)! } else { written += 1 }
  }
  #expect(reported == dropped)
  #expect(written + dropped == total)
  close(pipe.reading)
}

@Test("keeps lines whole and in order when many threads write at once")
func manyThreads() throws {
  let pipe = LogPipe()
  let sink = LogSink(style: .json(), descriptor: pipe.writing)
  let shared = SharedLogger(sink)
  let threads = 8
  let each = 1_000
  nonisolated(unsafe) var lines: [String] = []
  let done = Wake()
  SystemThread.detached("reader") {
    lines = pipe.readToEnd()
    done.call()
  }
  let counter = Counter(threads)
  for thread in 0..<threads {
    SystemThread.detached("writer") {
      let own = Logger(sink)
      for number in 0..<each {
        let fields: (inout LogLine) -> Void = {
          $0.field("thread", thread)
          $0.field("number", number)
        }
        if thread.isMultiple(of: 2) {
          own.log(.info, "x", fields: fields)
        } else {
          shared.log(.info, "x", fields: fields)
        }
      }
      counter.finished()
    }
  }
  counter.wait()
  #expect(sink.close(deadlineMilliseconds: 10_000))
  close(pipe.writing)
  #expect(done.wait(milliseconds: 10_000))
  close(pipe.reading)
  #expect(sink.droppedLines == 0)
  #expect(lines.count == threads * each)
  var next = [Int](repeating: 0, count: threads)
  for line in lines {
    let values = try LineReader.members(line).suffix(2).map { Int($0.value)! }
    #expect(next[values[0]] == values[1])
    next[values[0]] += 1
  }
}

@Test("counts lines as dropped when the pipe has no reader any more")
func brokenPipe() {
  signal(SIGPIPE, SIG_IGN)
  let pipe = LogPipe()
  close(pipe.reading)
  let sink = LogSink(style: .json(), descriptor: pipe.writing)
  let logger = Logger(sink)
  for _ in 0..<3 { logger.log(.info, "x") }
  #expect(sink.close(deadlineMilliseconds: 5_000))
  #expect(sink.droppedLines == 3)
  close(pipe.writing)
}

@Test("closes a second time without waiting")
func closingTwice() {
  let pipe = LogPipe()
  let sink = LogSink(style: .json(), descriptor: pipe.writing)
  #expect(sink.close(deadlineMilliseconds: 10_000))
  #expect(sink.close(deadlineMilliseconds: 0))
  close(pipe.writing)
  close(pipe.reading)
}

/// Waits until `count` threads are done.
private final class Counter: Sendable {
  private let left: Atomic<Int>
  private let wake = Wake()
  init(_ count: Int) { left = Atomic(count) }
  func finished() { if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { wake.call() } }
  func wait() { wake.wait(milliseconds: 30_000) }
}
