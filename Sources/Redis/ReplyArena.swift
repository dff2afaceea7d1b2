import CRedis
import Glibc

/// The memory of one link's replies: hiredis builds them here instead of allocating each of their parts.
///
/// There is one reply at a time: it is valid until the next one begins.
final class ReplyArena {
  /// The memory kept from reply to reply, in bytes; a longer reply gets further blocks for as long as it lives.
  static let blockBytes = 64 * 1024

  private let first = UnsafeMutableRawPointer.allocate(byteCount: blockBytes, alignment: 16)
  private var further: [UnsafeMutableRawPointer] = []
  private var next: UnsafeMutableRawPointer
  private var end: UnsafeMutableRawPointer

  init() {
    next = first
    end = first + Self.blockBytes
  }

  deinit {
    for block in further { block.deallocate() }
    first.deallocate()
  }

  /// Makes a reader build its replies here. The arena must live as long as the reader is used.
  func serve(_ reader: UnsafeMutablePointer<redisReader>) {
    reader.pointee.fn = Self.functions
    reader.pointee.privdata = Unmanaged.passUnretained(self).toOpaque()
  }

  private func removeAll() {
    for block in further { block.deallocate() }
    if !further.isEmpty { further.removeAll() }
    next = first
    end = first + Self.blockBytes
  }

  private func take(_ count: Int) -> UnsafeMutableRawPointer {
    let rounded = (count + 15) & ~15
    if rounded > end - next { addBlock(rounded) }
    defer { next += rounded }
    return next
  }

  private func addBlock(_ count: Int) {
    let bytes = max(count, Self.blockBytes)
    next = .allocate(byteCount: bytes, alignment: 16)
    end = next + bytes
    further.append(next)
  }

  // MARK: hiredis' side

  // Invariant 4: one table for all readers, which never change it.
  nonisolated(unsafe) private static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
    let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    functions.initialize(
      to: redisReplyObjectFunctions(
        createString: { task, text, count in
          make(task!, task!.pointee.type) { arena, reply in
            let copy = arena.take(count + 1)
            if let text { memcpy(copy, text, count) }
            copy.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
            reply.str = copy.assumingMemoryBound(to: CChar.self)
            reply.len = count
          }
        },
        createArray: { task, count in
          make(task!, REDIS_REPLY_ARRAY) { arena, reply in
            let bytes = Int(count) * MemoryLayout<UnsafeMutablePointer<redisReply>?>.stride
            reply.elements = Int(count)
            reply.element = arena.take(bytes).assumingMemoryBound(to: UnsafeMutablePointer<redisReply>?.self)
            memset(reply.element, 0, bytes)
          }
        },
        createInteger: { task, number in make(task!, REDIS_REPLY_INTEGER) { _, reply in reply.integer = number } },
        createNil: { task in make(task!, REDIS_REPLY_NIL) { _, _ in } },
        freeObject: { _ in }))
    return functions
  }()

  /// Makes an object of `type`: a reply, or an element of the array that the task belongs to.
  @inline(__always)
  private static func make(
    _ task: UnsafePointer<redisReadTask>, _ type: Int32, _ fill: (ReplyArena, inout redisReply) -> Void
  ) -> UnsafeMutableRawPointer? {
    Unmanaged<ReplyArena>.fromOpaque(task.pointee.privdata)._withUnsafeGuaranteedRef { arena in
      if task.pointee.parent == nil { arena.removeAll() }
      let object = arena.take(MemoryLayout<redisReply>.size)
      let reply = object.initializeMemory(as: redisReply.self, to: redisReply())
      reply.pointee.type = type
      fill(arena, &reply.pointee)
      if let array = task.pointee.parent?.pointee.obj?.assumingMemoryBound(to: redisReply.self) {
        array.pointee.element[Int(task.pointee.idx)] = reply
      }
      return object
    }
  }
}
