import Glibc
import Reactor

/// Lets threads sleep until there is work (sem_overview(7)). Every signal wakes one wait, past or future.
/// Invariant 4.
final class WakeUp: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() { sem_post(semaphore) }

  func wait() {
    // A signal handler may interrupt it, which is no call.
    _ = retrying { sem_wait(semaphore) }
  }
}
