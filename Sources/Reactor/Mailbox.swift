import CLinux
import Glibc
import Synchronization

/// What other threads send to a loop: a lock-free stack that the loop takes whole, and an eventfd that wakes it.
///
/// Senders push by compare-and-swap; the loop takes everything by one exchange and reverses it, so that messages of one
/// sender arrive in their order (Treiber, "Systems Programming: Coping with Parallelism", 1986).
final class Mailbox: Sendable {
  enum Message {
    case job(UnownedJob)
    case call(@Sendable () -> Void)
  }

  private final class Node {
    let message: Message
    var next: UInt = 0
    init(_ message: Message) { self.message = message }
  }

  let eventfd: Int32
  /// The address of the newest node, 0 when there is none: a pointer as a number, because numbers are Sendable.
  private let top = Atomic<UInt>(0)

  init() throws(SystemError) {
    eventfd = try checked("eventfd") { CLinux.eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC)) }
  }

  deinit {
    _ = takeAll()
    close(eventfd)
  }

  /// Posts a message, and wakes the loop if the mailbox was empty.
  func post(_ message: Message) {
    let node = Node(message)
    let pointer = UInt(bitPattern: Unmanaged.passRetained(node).toOpaque())
    var seen = top.load(ordering: .relaxed)
    while true {
      node.next = seen
      let result = top.compareExchange(expected: seen, desired: pointer, ordering: .acquiringAndReleasing)
      if result.exchanged { break }
      seen = result.original
    }
    if seen == 0 { wake() }
  }

  /// Takes everything that was posted since the last call, oldest first.
  func takeAll() -> [Message] {
    var address = top.exchange(0, ordering: .acquiringAndReleasing)
    var messages: [Message] = []
    while let pointer = UnsafeRawPointer(bitPattern: address) {
      let node = Unmanaged<Node>.fromOpaque(pointer).takeRetainedValue()
      messages.append(node.message)
      address = node.next
    }
    messages.reverse()
    return messages
  }

  /// Resets the wake-up; called before `takeAll`, so that a later post wakes the loop anew.
  func acknowledge() {
    var count: UInt64 = 0
    // EAGAIN only means that there was no wake-up.
    _ = retrying { read(eventfd, &count, 8) }
  }

  private func wake() {
    var one: UInt64 = 1
    // A full counter (EAGAIN) wakes the loop just as well.
    _ = retrying { write(eventfd, &one, 8) }
  }
}
