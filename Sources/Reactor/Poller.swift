import CLinux
import Glibc

/// The epoll instance of one loop, and the handler of each descriptor.
///
/// The user data of an event holds the descriptor and a generation: an event that was fetched before its descriptor was
/// closed and opened again carries the old generation and is dropped.
struct Poller {
  /// The most events taken in one turn, so that timers and jobs get their share.
  static let eventsPerTurn = 256

  private struct Slot {
    var handler: (any EventHandler)?
    var generation: UInt32 = 0
  }

  private let epoll: Int32
  private let events: UnsafeMutablePointer<epoll_event>
  private var slots: [Slot] = []

  init() throws(SystemError) {
    epoll = try checked("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
    events = .allocate(capacity: Self.eventsPerTurn)
  }

  mutating func add(_ fd: Int32, _ interest: Readiness, _ handler: any EventHandler) throws(SystemError) {
    let index = Int(fd)
    if index >= slots.count { slots.append(contentsOf: repeatElement(Slot(), count: max(64, index + 1 - slots.count))) }
    slots[index].generation &+= 1
    try control(EPOLL_CTL_ADD, fd, interest)
    slots[index].handler = handler
  }

  func change(_ fd: Int32, _ interest: Readiness) throws(SystemError) {
    try control(EPOLL_CTL_MOD, fd, interest)
  }

  /// Forgets a descriptor that the caller closes next, on which the kernel forgets it too.
  mutating func forget(_ fd: Int32) {
    guard Int(fd) < slots.count else { return }
    slots[Int(fd)].handler = nil
    slots[Int(fd)].generation &+= 1
  }

  /// Forgets a descriptor that may stay open.
  mutating func remove(_ fd: Int32) {
    forget(fd)
    // Fails only if the descriptor was never added, and then there is nothing to remove.
    _ = linux_epoll_ctl(epoll, EPOLL_CTL_DEL, fd, 0, 0)
  }

  private func control(_ operation: Int32, _ fd: Int32, _ interest: Readiness) throws(SystemError) {
    let data = UInt64(slots[Int(fd)].generation) << 32 | UInt64(UInt32(bitPattern: fd))
    if linux_epoll_ctl(epoll, operation, fd, interest.rawValue, data) != 0 { throw SystemError("epoll_ctl") }
  }

  /// Waits for at most `milliseconds` (-1: for ever) and returns how many events came.
  func wait(milliseconds: Int32) -> Int {
    let count = epoll_wait(epoll, events, Int32(Self.eventsPerTurn), milliseconds)
    return count < 0 ? 0 : Int(count)
  }

  /// The handler and the readiness of the event at `index`; nil if its descriptor was forgotten or reused since.
  func event(_ index: Int) -> (handler: any EventHandler, readiness: Readiness)? {
    let data = linux_epoll_data(events, Int32(index))
    let slot = slots[Int(UInt32(truncatingIfNeeded: data))]
    guard slot.generation == UInt32(data >> 32), let handler = slot.handler else { return nil }
    return (handler, Readiness(rawValue: linux_epoll_mask(events, Int32(index))))
  }

  func close() {
    _ = Glibc.close(epoll)
    events.deallocate()
  }
}
