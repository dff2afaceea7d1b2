import CLinux
import Glibc
import Synchronization

/// One thread's event loop: waits for descriptors, timers and messages, and runs everything that belongs to it.
///
/// A turn: wait, read the clocks once, call the ready handlers, the due timers, the messages of other threads and the
/// jobs of Swift tasks, then flush what gathered output. The loop is not Sendable: all that it owns lives and dies on
/// its thread, without locks. Other threads reach it only through `executor`.
package final class EventLoop {
  /// The longest sleep of a loop with nothing to do, so that its heartbeat stays recent.
  static let longestSleepMilliseconds: Int32 = 1_000
  /// The most timers fired in one turn, so that descriptors get their share.
  static let timersPerTurn = 1_024
  /// The most finished tasks that are kept for reuse.
  static let spareTasks = 256
  /// How long a reading of the calendar clock is used, in nanoseconds. It runs at the rate of CLOCK_BOOTTIME: the two
  /// part only when it is set.
  static let calendarNanoseconds: UInt64 = 100_000_000
  /// The most rounds at the end of a turn, when flushing produces more work.
  static let flushRounds = 16

  /// The index of this loop among its siblings, from 0, and of its metrics shard.
  package let index: Int
  /// The loop's address for tasks and other threads.
  package let executor: LoopExecutor
  /// Nanoseconds of the monotonic clock, read at the start of the turn.
  package var now: UInt64 { turnStart }
  /// Nanoseconds of CLOCK_BOOTTIME, read at the start of the turn.
  package var boot: UInt64 { turnStartBoot }
  /// How far the machine's calendar clock is ahead of CLOCK_BOOTTIME, in nanoseconds; read at most
  /// `calendarNanoseconds` before the turn.
  package var calendarOffset: Int64 { knownCalendarOffset }
  /// Milliseconds since 1970 UTC at the start of the turn, by the machine's calendar clock.
  package var unixMilliseconds: Int64 { (Int64(turnStartBoot) + knownCalendarOffset) / 1_000_000 }
  private let heartbeat: Heartbeat
  /// The clock that a test moves by hand; nil for the machine's clocks.
  private let manualClock: ManualClock?
  /// The source of random numbers, such as for the jitter of pauses.
  package var generator: any RandomNumberGenerator

  // Behind computed properties, because the attribute does not reach direct accesses from other modules.
  @exclusivity(unchecked) private var turnStart: UInt64
  @exclusivity(unchecked) private var turnStartBoot: UInt64
  @exclusivity(unchecked) private var knownCalendarOffset: Int64
  /// When that was read, in nanoseconds of the monotonic clock.
  private var calendarReadAt: UInt64
  @exclusivity(unchecked) private var poller: Poller
  @exclusivity(unchecked) private var timers = TimerHeap()
  @exclusivity(unchecked) private var ending: [any TurnEnd] = []
  // Swapped with `ending` at each turn's end, so that neither gives its storage back.
  @exclusivity(unchecked) private var flushing: [any TurnEnd] = []
  @exclusivity(unchecked) private var spareTasks: [LoopTask] = []
  private var isStopping = false

  /// Makes a loop, whose turns other threads can observe by `heartbeat`. A test that must run the same way each time
  /// passes a clock and a generator of its own.
  package init(
    index: Int, heartbeat: Heartbeat = Heartbeat(), clock: ManualClock? = nil,
    generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
  ) throws {
    self.index = index
    self.heartbeat = heartbeat
    self.generator = generator
    manualClock = clock
    executor = try LoopExecutor()
    turnStart = clock?.monotonic ?? Clock.monotonic()
    turnStartBoot = clock?.monotonic ?? Clock.boot()
    knownCalendarOffset = clock?.calendarOffset ?? Clock.calendarOffset()
    calendarReadAt = turnStart
    poller = try Poller()
    try poller.add(executor.mailbox.eventfd, .readable, MailboxReader(executor))
  }

  deinit { poller.close() }

  // MARK: Descriptors

  /// Calls `handler` whenever `fd` is ready for `interest`. The loop keeps the handler alive until `remove`. Throws the
  /// errors of epoll_ctl(2).
  package func add(_ fd: Int32, _ interest: Readiness, _ handler: any EventHandler) throws(SystemError) {
    assertCurrent()
    try poller.add(fd, interest, handler)
  }

  /// Changes what is awaited on a descriptor that was added; throws as `add` does.
  package func change(_ fd: Int32, _ interest: Readiness) throws(SystemError) {
    try poller.change(fd, interest)
  }

  /// Forgets a descriptor. Events of it that are already fetched do not reach its handler.
  package func remove(_ fd: Int32) { poller.remove(fd) }

  /// Closes a descriptor that has no duplicate, and forgets it if it was added: one system call fewer than with
  /// `remove`.
  package func close(_ fd: Int32) {
    poller.forget(fd)
    _ = Glibc.close(fd)
  }

  // MARK: Time

  /// Calls `action` once, `nanoseconds` from the start of this turn.
  @discardableResult
  package func schedule(afterNanoseconds nanoseconds: UInt64, _ action: @escaping () -> Void) -> Timer {
    assertCurrent()
    return timers.add(deadline: now &+ nanoseconds, action)
  }

  /// Cancels a timer; does nothing if it has fired.
  package func cancel(_ timer: Timer) {
    assertCurrent()
    timers.cancel(timer)
  }

  /// Suspends the calling task, which must run on this loop, for `nanoseconds`.
  package func sleep(nanoseconds: UInt64) async {
    // Unchecked: when the loop ends, its timers are dropped, and sleeping tasks are never resumed.
    await withUnsafeContinuation { continuation in
      schedule(afterNanoseconds: nanoseconds) { continuation.resume() }
    }
  }

  // MARK: Work

  /// Runs `body` as a task on this loop: at once until it first suspends, the rest in later turns.
  ///
  /// It inherits nothing from the calling task, such as values of `TaskLocal`s. Must be called on the loop's thread.
  /// What `body` captures stays on this thread: the task and its continuations run nowhere else, which is why nothing
  /// here has to be Sendable.
  package func spawn(_ body: @escaping () async -> Void) {
    assertCurrent()
    if let task = spareTasks.popLast() {
      task.resume(body)
      executor.runNewest()
    } else {
      // Invariant 2: the task runs on this thread alone.
      nonisolated(unsafe) let task = LoopTask(body, on: self)
      // Detached: what the task inherited from the present one would show in the bodies that it runs later.
      Task.immediateDetached(executorPreference: executor) { await task.run() }
    }
  }

  /// Keeps a finished task for reuse; returns false if the loop stops or has enough of them.
  func keep(_ task: LoopTask) -> Bool {
    guard !isStopping, spareTasks.count < Self.spareTasks else { return false }
    spareTasks.append(task)
    return true
  }

  /// Flushes `part` once at the end of this turn. Must not be called while `part` is already waiting for that.
  package func atEndOfTurn(_ part: any TurnEnd) {
    assertCurrent()
    ending.append(part)
  }

  // MARK: Running

  /// Stops a debug build unless the caller is on the loop's thread, or the loop has none yet (invariant 2).
  package func assertCurrent() {
    assert(executor.isCurrent || !executor.hasThread, "Something of a loop is touched on another thread.")
  }

  /// Runs the loop on the calling thread until `stop`. The remaining timers are dropped then, so that the loop and what
  /// they capture do not keep each other alive.
  package func run() {
    executor.adoptCurrentThread()
    heartbeat.begin()
    while !isStopping { turn() }
    endSpareTasks()
    timers = TimerHeap()
    executor.leaveThread()
    heartbeat.end()
  }

  private func endSpareTasks() {
    while let task = spareTasks.popLast() {
      task.resume(nil)
      executor.runNewest()
    }
  }

  /// Ends `run` when the current turn is done. Call it on the loop's thread.
  package func stop() { isStopping = true }

  private func turn() { turn(waiting: sleepMilliseconds()) }

  /// Runs one turn that waits at most `milliseconds`; returns how many descriptors were ready.
  @discardableResult
  private func turn(waiting milliseconds: Int32) -> Int {
    let count = poller.wait(milliseconds: milliseconds)
    readClocks()
    heartbeat.beat(now)
    for index in 0..<count {
      if let event = poller.event(index) { event.handler.ready(event.readiness) }
    }
    fireTimers()
    endTurn()
    return count
  }

  private func readClocks() {
    if let manualClock {
      (turnStart, turnStartBoot) = (manualClock.monotonic, manualClock.monotonic)
      return
    }
    (turnStart, turnStartBoot) = (Clock.monotonic(), Clock.boot())
    if turnStart &- calendarReadAt > Self.calendarNanoseconds {
      (knownCalendarOffset, calendarReadAt) = (Clock.calendarOffset(), turnStart)
    }
  }

  private func fireTimers() {
    for _ in 0..<Self.timersPerTurn {
      guard let action = timers.popDue(now) else { return }
      action()
    }
  }

  /// Runs jobs and flushes until neither has more or `flushRounds` are over: jobs may gather output, and flushing may
  /// finish what jobs wait for.
  private func endTurn() {
    for _ in 0..<Self.flushRounds {
      executor.drain()
      if ending.isEmpty { return }
      swap(&ending, &flushing)
      for part in flushing { part.flush() }
      flushing.removeAll(keepingCapacity: true)
    }
  }

  private func sleepMilliseconds() -> Int32 {
    if executor.hasJobs || !ending.isEmpty { return 0 }
    guard let deadline = timers.next else { return Self.longestSleepMilliseconds }
    let current = Clock.monotonic()
    if deadline <= current { return 0 }
    // Rounded up: waking a moment early would only mean another empty turn.
    let milliseconds = (deadline - current + 999_999) / 1_000_000
    return Int32(min(milliseconds, UInt64(Self.longestSleepMilliseconds)))
  }

  // MARK: By hand, for simulations and measurements

  /// Calls `body` with the calling thread as the loop's; meanwhile the loop turns only by `turnByHand`.
  package func embedded<Result>(_ body: () throws -> Result) rethrows -> Result {
    executor.adoptCurrentThread()
    defer { executor.leaveThread() }
    return try body()
  }

  /// Turns until nothing is left to do at this moment of the clock, without ever waiting. Returns false if that is not
  /// so after `turns` turns: then something schedules itself again and again.
  package func turnByHand(atMost turns: Int) -> Bool {
    for _ in 0..<turns {
      let ready = turn(waiting: 0)
      let isDue = timers.next.map { $0 <= now } ?? false
      if ready == 0, !isDue, !executor.hasJobs, ending.isEmpty { return true }
    }
    return false
  }

  /// When the next timer is due, in nanoseconds of the monotonic clock.
  package var nextDeadline: UInt64? { timers.next }

  /// Takes the messages of other threads when the mailbox's eventfd says that there are some.
  private final class MailboxReader: EventHandler {
    private let executor: LoopExecutor
    init(_ executor: LoopExecutor) { self.executor = executor }

    func ready(_ readiness: Readiness) { executor.takeMessages() }
  }
}
