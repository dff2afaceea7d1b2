import TestSupport
import Testing

@testable import Web

@Suite("A loop's memory of answers")
struct AnswerMemoryTests {
  private static func answer(_ target: String, bytes: Int = 1) -> RememberedAnswer {
    let wanted = CachedAnswer(CacheKey("test", "key", tag: CacheTag("tag"))) { [] }
    let ticket = MemoryTicket(clearings: 0, place: 0, count: 0)
    let entry = TaggedBody(Array(repeating: 0x20, count: bytes))
    return RememberedAnswer(Array(target.utf8), entry, of: wanted, ticket, until: .max)
  }

  private static func find(_ target: String, _ memory: inout AnswerMemory) -> RememberedAnswer? {
    Array(target.utf8).withUnsafeBytes { memory.find($0) }
  }

  @Test("evicts the least recently used answer when it is full")
  func entries() {
    var memory = AnswerMemory(maximumEntries: 3, maximumBytes: 1 << 20)
    for target in ["a", "b", "c"] { memory.insert(Self.answer(target)) }
    #expect(Self.find("a", &memory) != nil)
    memory.insert(Self.answer("d"))
    #expect(memory.count == 3)
    #expect(["a", "b", "c", "d"].filter { Self.find($0, &memory) != nil } == ["a", "c", "d"])
    memory.insert(Self.answer("a", bytes: 7))
    #expect(memory.count == 3 && Self.find("a", &memory)?.bytes == Self.answer("a", bytes: 7).bytes)
  }

  @Test("stays within its bytes, and does not evict others for one large answer")
  func bytes() {
    var memory = AnswerMemory(maximumEntries: 1_000, maximumBytes: 64 * 1_024)
    for index in 0..<200 {
      memory.insert(Self.answer("\(index)", bytes: 3_000))
      #expect(memory.bytes <= 64 * 1_024)
    }
    let count = memory.count
    #expect(count > 10 && Self.find("199", &memory) != nil && Self.find("0", &memory) == nil)
    memory.insert(Self.answer("large", bytes: 20_000))
    #expect(memory.count == count && Self.find("large", &memory) == nil)
    var none = AnswerMemory(maximumEntries: 0, maximumBytes: 1)
    none.insert(Self.answer("a"))
    #expect(!none.isEnabled && none.count == 0)
  }

  @Test("finds exactly what a plain list of the most recently used answers would, after any operations")
  func model() {
    var memory = AnswerMemory(maximumEntries: 20, maximumBytes: 1 << 20)
    var model: [String] = []
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<5_000 {
      let target = "/\(Int.random(in: 0..<40, using: &random))"
      switch Int.random(in: 0..<100, using: &random) {
      case 0:
        memory.removeAll()
        model = []
      case 1..<10:
        if let known = Self.find(target, &memory) { memory.remove(known) }
        model.removeAll { $0 == target }
      case 10..<60:
        memory.insert(Self.answer(target))
        model.removeAll { $0 == target }
        model = Array(([target] + model).prefix(20))
      default:
        #expect((Self.find(target, &memory) != nil) == model.contains(target), "seed \(seed)")
        if let index = model.firstIndex(of: target) { model.insert(model.remove(at: index), at: 0) }
      }
      #expect(memory.count == model.count, "seed \(seed)")
    }
  }
}
