/// Told of every finished command of a client, on its loop.
package protocol RedisObserver: AnyObject {
  /// `command` is the name as sent, such as `GET`; the duration is to the precision of a loop's turn.
  func finished(command: String, durationNanoseconds: UInt64, error: RedisError?)
}
