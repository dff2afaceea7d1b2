// Tells ThreadSanitizer of the half of Swift's Mutex that it cannot see, so that no report has to be suppressed.
//
// An uncontended Mutex is locked and unlocked by atomics in the caller's own code, which is instrumented. A contended
// one goes through these functions of libswiftSynchronization, which is not instrumented: there the kernel hands the
// lock over (FUTEX_LOCK_PI), and without this every critical section so handed over would be reported as a race.
// LD_PRELOAD puts these wrappers before the library's functions; they call them and note the happens-before relations.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

// In the program if it is built with the sanitizer; programs that tests start may not be.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *handle

typedef SWIFT void LockSlow(uint32_t thread, SELF);
typedef SWIFT bool TryLockSlow(SELF);
typedef SWIFT void UnlockSlow(SELF);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK_SLOW);
SWIFT bool try_lock_slow(SELF) __asm__(TRY_LOCK_SLOW);
SWIFT void unlock_slow(SELF) __asm__(UNLOCK_SLOW);

SWIFT void lock_slow(uint32_t thread, SELF) {
  ((LockSlow *)dlsym(RTLD_NEXT, LOCK_SLOW))(thread, handle);
  if (__tsan_acquire) __tsan_acquire(handle);
}

SWIFT bool try_lock_slow(SELF) {
  bool locked = ((TryLockSlow *)dlsym(RTLD_NEXT, TRY_LOCK_SLOW))(handle);
  if (locked && __tsan_acquire) __tsan_acquire(handle);
  return locked;
}

SWIFT void unlock_slow(SELF) {
  if (__tsan_release) __tsan_release(handle);
  ((UnlockSlow *)dlsym(RTLD_NEXT, UNLOCK_SLOW))(handle);
}
