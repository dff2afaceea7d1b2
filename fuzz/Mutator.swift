import TestSupport

/// Makes new inputs from old ones by a few random edits, some of which use the subject's tokens.
struct Mutator {
  /// The longest input made, in bytes.
  static let longest = 4_096
  /// The most inputs kept to mutate.
  static let poolCapacity = 4_096

  private(set) var pool: [[UInt8]]
  private let tokens: [[UInt8]]
  private var random: SeededGenerator

  init(pool: [[UInt8]], tokens: [String], seed: UInt64) {
    self.pool = pool.isEmpty ? [[]] : pool
    self.tokens = tokens.map { Array($0.utf8) }
    random = SeededGenerator(seed: seed)
  }

  /// Keeps an input to mutate further.
  mutating func keep(_ input: [UInt8]) {
    if pool.count < Self.poolCapacity {
      pool.append(input)
    } else {
      pool[Int.random(in: 0..<pool.count, using: &random)] = input
    }
  }

  /// The next input.
  mutating func next() -> [UInt8] {
    var input = pool[Int.random(in: 0..<pool.count, using: &random)]
    for _ in 0..<Int.random(in: 1...5, using: &random) { edit(&input) }
    if input.count > Self.longest { input.removeLast(input.count - Self.longest) }
    return input
  }

  private mutating func edit(_ input: inout [UInt8]) {
    let position = Int.random(in: 0...input.count, using: &random)
    switch Int.random(in: 0..<9, using: &random) {
    case 0: if position < input.count { input[position] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
    case 1: if position < input.count { input[position] = UInt8.random(in: 0...255, using: &random) }
    case 2: input.insert(UInt8.random(in: 0...255, using: &random), at: position)
    case 3, 4: input.insert(contentsOf: tokens.randomElement(using: &random) ?? [], at: position)
    case 5: input.removeSubrange(span(from: position, in: input))
    case 6: input.insert(contentsOf: Array(input[span(from: position, in: input)]), at: position)
    case 7:
      // A piece of another input.
      let other = pool[Int.random(in: 0..<pool.count, using: &random)]
      let start = Int.random(in: 0...other.count, using: &random)
      input.insert(contentsOf: other[span(from: start, in: other)], at: position)
    default: input.removeLast(input.count - position)
    }
  }

  /// Up to 64 bytes from an offset on.
  private mutating func span(from start: Int, in input: [UInt8]) -> Range<Int> {
    start..<min(input.count, start + Int.random(in: 1...64, using: &random))
  }
}
