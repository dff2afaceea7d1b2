/// The answers that one loop remembers, by target: bounded in number and bytes, the least recently used out first.
///
/// Finding an answer allocates nothing, and neither does moving it to the front: the order of use is a list of places.
struct AnswerMemory {
  private struct Place {
    var answer: RememberedAnswer?
    var hash = 0
    /// The next place in the same chain, or among the free ones.
    var next = AnswerMemory.none
    var newer = AnswerMemory.none
    var older = AnswerMemory.none
  }

  private static let none: Int32 = -1
  /// An answer larger than `maximumBytes` divided by this is not remembered.
  private static let largestPart = 8

  private let maximumEntries: Int
  private let maximumBytes: Int
  private var places: [Place] = []
  // The first place of each chain; the number of chains is a power of two.
  private var chains: [Int32] = []
  private var free = none
  private var newest = none
  private var oldest = none
  private(set) var count = 0
  /// The approximate size of the answers, in bytes.
  private(set) var bytes = 0

  init(maximumEntries: Int, maximumBytes: Int) {
    self.maximumEntries = maximumEntries
    self.maximumBytes = maximumBytes
  }

  /// Whether there is room for anything.
  var isEnabled: Bool { maximumEntries > 0 && maximumBytes > 0 }

  /// The answer for a target, which becomes the one used last.
  mutating func find(_ target: UnsafeRawBufferPointer) -> RememberedAnswer? {
    if count == 0 { return nil }
    let place = locate(target, Self.hash(target))
    guard place != Self.none else { return nil }
    if place != newest {
      unlink(place)
      linkNewest(place)
    }
    return places[Int(place)].answer
  }

  /// Inserts an answer, replacing the one for the same target.
  mutating func insert(_ answer: RememberedAnswer) {
    guard isEnabled, answer.bytes <= maximumBytes / Self.largestPart else { return }
    let hash = answer.target.withUnsafeBytes(Self.hash)
    let known = answer.target.withUnsafeBytes { locate($0, hash) }
    if known != Self.none { remove(known) }
    while count >= maximumEntries || bytes + answer.bytes > maximumBytes { remove(oldest) }
    if chains.isEmpty { chains = Array(repeating: Self.none, count: Self.chainCount(maximumEntries)) }
    let place = takePlace()
    let chain = hash & (chains.count - 1)
    places[Int(place)] = Place(answer: answer, hash: hash, next: chains[chain])
    chains[chain] = place
    linkNewest(place)
    count += 1
    bytes += answer.bytes
  }

  mutating func remove(_ answer: RememberedAnswer) {
    let place = answer.target.withUnsafeBytes { locate($0, Self.hash($0)) }
    if place != Self.none { remove(place) }
  }

  mutating func removeAll() {
    if count == 0 { return }
    self = AnswerMemory(maximumEntries: maximumEntries, maximumBytes: maximumBytes)
  }

  // MARK: Places

  /// As many chains as answers, rounded up.
  private static func chainCount(_ entries: Int) -> Int {
    var count = 16
    while count < entries { count *= 2 }
    return count
  }

  /// Seeded for each process, so that clients cannot choose targets that share a chain.
  private static func hash(_ target: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: target)
    return hasher.finalize()
  }

  private func locate(_ target: UnsafeRawBufferPointer, _ hash: Int) -> Int32 {
    if chains.isEmpty { return Self.none }
    var place = chains[hash & (chains.count - 1)]
    while place != Self.none {
      if places[Int(place)].hash == hash, let answer = places[Int(place)].answer, answer.answers(target) {
        return place
      }
      place = places[Int(place)].next
    }
    return Self.none
  }

  private mutating func takePlace() -> Int32 {
    guard free != Self.none else {
      places.append(Place())
      return Int32(places.count - 1)
    }
    defer { free = places[Int(free)].next }
    return free
  }

  private mutating func remove(_ place: Int32) {
    let removed = places[Int(place)]
    unlink(place)
    let chain = removed.hash & (chains.count - 1)
    if chains[chain] == place {
      chains[chain] = removed.next
    } else {
      var before = chains[chain]
      while places[Int(before)].next != place { before = places[Int(before)].next }
      places[Int(before)].next = removed.next
    }
    count -= 1
    bytes -= removed.answer?.bytes ?? 0
    places[Int(place)] = Place(next: free)
    free = place
  }

  // MARK: Order of use

  private mutating func linkNewest(_ place: Int32) {
    places[Int(place)].older = newest
    places[Int(place)].newer = Self.none
    if newest != Self.none { places[Int(newest)].newer = place } else { oldest = place }
    newest = place
  }

  private mutating func unlink(_ place: Int32) {
    let (newer, older) = (places[Int(place)].newer, places[Int(place)].older)
    if newer != Self.none { places[Int(newer)].older = older } else { newest = older }
    if older != Self.none { places[Int(older)].newer = newer } else { oldest = newer }
  }
}
