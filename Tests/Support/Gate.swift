import Glibc

/// Lets one thread wait for another.
package final class Gate: @unchecked Sendable {
  private var semaphore = sem_t()

  package init() { sem_init(&semaphore, 0, 0) }

  deinit { sem_destroy(&semaphore) }

  package func open() { sem_post(&semaphore) }

  package func wait() { while sem_wait(&semaphore) != 0 {} }
}
