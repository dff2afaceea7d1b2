/// Something that gathers output during a turn and sends it once at the turn's end.
package protocol TurnEnd: AnyObject {
  /// Called once at the end of a turn in which it was handed to `EventLoop.atEndOfTurn`.
  func flush()
}
