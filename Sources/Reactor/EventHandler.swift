/// Something that owns a file descriptor and is called on its loop's thread when the descriptor is ready.
package protocol EventHandler: AnyObject {
  /// Called once per turn with everything that is ready. Level-triggered: what is left unread is reported again.
  func ready(_ readiness: Readiness)
}
