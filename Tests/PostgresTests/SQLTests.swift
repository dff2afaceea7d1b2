import Testing

@testable import Postgres

@Suite("Interpolated SQL")
struct SQLTests {
  @Test("binds interpolated values as numbered parameters")
  func binds() {
    let sql: SQL = "SELECT \(1) WHERE name = \("x' OR 1=1") AND note = \(nil as String?)"
    #expect(sql.text == "SELECT $1 WHERE name = $2 AND note = $3")
    #expect(sql.parameters.lengths == [8, 10, -1])
    #expect(sql.parameters.formats == [1, 0, 0])
    #expect(sql.parameters.types == [20, 0, 0])
  }

  @Test("takes in fragments with their parameters")
  func fragments() {
    let filter: SQL = "WHERE a = \(1) AND b = \(2)"
    let empty: SQL = ""
    let sql: SQL = "SELECT \(0) FROM \(unescaped: "t") \(filter)\(empty) LIMIT \(3)"
    #expect(sql.text == "SELECT $1 FROM t WHERE a = $2 AND b = $3 LIMIT $4")
    #expect(sql.parameters.offsets == [0, 8, 16, 24])
    #expect((filter + " OFFSET \(9)").text == "WHERE a = $1 AND b = $2 OFFSET $3")
  }

  @Test("encodes an array byte by byte as the server's array_recv reads it")
  func array() {
    var buffer = ParameterBuffer()
    buffer.append([1, nil] as [Int16?])
    #expect(
      buffer.bytes == [
        0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 21, 0, 0, 0, 2, 0, 0, 0, 1,
        0, 0, 0, 2, 0, 1, 255, 255, 255, 255,
      ])
    #expect(buffer.types == [1005])
    buffer.removeAll()
    buffer.append([] as [Int64])
    #expect(buffer.bytes == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20])
  }

  @Test("refuses more parameters than the protocol can count")
  func tooMany() {
    var buffer = ParameterBuffer()
    for index in 0...65_535 { buffer.append(Int16(truncatingIfNeeded: index)) }
    #expect(buffer.fault?.kind == .misuse)
  }
}
