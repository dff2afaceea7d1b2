import Glibc
import Reactor

/// Lets threads sleep until there is work (sem_overview(7)). Every signal ends one wait, a present or a future one.
///
/// Any thread may use a semaphore (invariant 4 of ARCHITECTURE.md).
final class WakeUp: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func signal() { sem_post(semaphore) }

  func wait() {
    // A signal handler may interrupt the wait.
    _ = retrying { sem_wait(semaphore) }
  }
}
