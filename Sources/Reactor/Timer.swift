/// A call that a loop makes once, at its deadline; made by `EventLoop.schedule`.
package final class Timer {
  /// When it fires, in nanoseconds of the monotonic clock.
  @exclusivity(unchecked) package fileprivate(set) var deadline: UInt64
  @exclusivity(unchecked) fileprivate var action: (() -> Void)?
  @exclusivity(unchecked) fileprivate var position = -1

  fileprivate init(deadline: UInt64, action: @escaping () -> Void) {
    self.deadline = deadline
    self.action = action
  }

  /// Whether it still waits to fire.
  package var isPending: Bool { position >= 0 }
}

/// The timers of one loop: a binary heap by deadline in which each timer knows its position, so that a cancelled one is
/// removed at once and nothing stale piles up.
struct TimerHeap {
  private var heap: [Timer] = []

  /// The deadline of the next timer, in nanoseconds of the monotonic clock.
  var next: UInt64? { heap.first?.deadline }

  var count: Int { heap.count }

  mutating func add(deadline: UInt64, _ action: @escaping () -> Void) -> Timer {
    let timer = Timer(deadline: deadline, action: action)
    timer.position = heap.count
    heap.append(timer)
    siftUp(timer.position)
    return timer
  }

  mutating func cancel(_ timer: Timer) {
    guard timer.isPending else { return }
    remove(timer)
    timer.action = nil
  }

  /// Removes the first timer if it is due at `now` and returns its action.
  mutating func popDue(_ now: UInt64) -> (() -> Void)? {
    guard let first = heap.first, first.deadline <= now else { return nil }
    remove(first)
    defer { first.action = nil }
    return first.action
  }

  private mutating func remove(_ timer: Timer) {
    let position = timer.position
    let last = heap.removeLast()
    timer.position = -1
    guard position < heap.count else { return }
    heap[position] = last
    last.position = position
    siftUp(position)
    siftDown(last.position)
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      if heap[parent].deadline <= heap[child].deadline { return }
      exchange(parent, child)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].deadline < heap[least].deadline {
        least = child
      }
      if least == parent { return }
      exchange(parent, least)
      parent = least
    }
  }

  private mutating func exchange(_ one: Int, _ other: Int) {
    heap.swapAt(one, other)
    heap[one].position = one
    heap[other].position = other
  }
}
