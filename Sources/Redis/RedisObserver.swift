/// Observes every finished command of a client, on its loop.
package protocol RedisObserver: AnyObject {
  /// Called when a command has finished. `command` is its name as sent, such as `GET`; the duration is exact to a turn
  /// of the loop.
  func finished(command: String, durationNanoseconds: UInt64, error: RedisError?)
}
