/// Which buildings are for what: a file of `id,train,val,test` and a building a row.
public struct TaskonomySplit: Hashable, Sendable {
    public let train: [String]
    public let validation: [String]
    public let test: [String]

    private static let header = "id,train,val,test"
    /// More than Taskonomy has.
    private static let buildingsMax = 10_000

    /// Takes every part as given.
    public init(train: [String], validation: [String], test: [String]) {
        self.train = train
        self.validation = validation
        self.test = test
    }

    /// Decodes a file's bytes. Lines end by CR, LF or CRLF: the files as published have a bare CR,
    /// and none after the last line.
    ///
    /// - Throws: `DataError` for anything but 0 or 1, a building in no part or in several, or one
    ///   that is there twice.
    public init(decoding bytes: [UInt8], file: String) throws(DataError) {
        var train: [String] = []
        var validation: [String] = []
        var test: [String] = []
        var seen: Set<String> = []
        var offset = 0
        for (number, line) in Self.lines(bytes).enumerated() {
            defer { offset += line.count + 1 }
            guard !line.isEmpty else { continue }
            let text = String(decoding: line, as: UTF8.self)
            if number == 0 {
                guard text == Self.header else {
                    throw .malformed(
                        file: file, offset: 0, expected: "the line \(Self.header)",
                        found: String(text.prefix(40)))
                }
                continue
            }
            let fields = text.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count == 4, Self.isName(fields[0]),
                let part = ["1,0,0", "0,1,0", "0,0,1"].firstIndex(
                    of: fields.dropFirst().joined(separator: ","))
            else {
                throw .malformed(
                    file: file, offset: offset,
                    expected: "a building and three of 0 and 1, exactly one of them 1",
                    found: String(text.prefix(60)))
            }
            guard seen.insert(String(fields[0])).inserted, seen.count <= Self.buildingsMax else {
                throw .malformed(
                    file: file, offset: offset, expected: "each building once",
                    found: "\(fields[0]) again")
            }
            switch part {
            case 0: train.append(String(fields[0]))
            case 1: validation.append(String(fields[0]))
            default: test.append(String(fields[0]))
            }
        }
        self.init(train: train, validation: validation, test: test)
    }

    /// A name that stays in its folder wherever it is made a path of.
    private static func isName(_ name: Substring) -> Bool {
        name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) != nil
    }

    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        // CRLF makes an empty line between its halves, which is skipped.
        bytes.split(omittingEmptySubsequences: false) { $0 == 0x0D || $0 == 0x0A }
    }
}
