import FathomPage
import Foundation
import FoundationXML

/// Parses markup as strictly as XML asks.
final class StrictXML: NSObject, XMLParserDelegate {
    struct Element {
        var name: String
        var attributes: [String: String]
    }

    private(set) var elements: [Element] = []
    private(set) var text = ""
    private(set) var problem: String?

    /// - Parameter source: One element, as a document or a part of one.
    init(_ source: String) {
        super.init()
        let parser = XMLParser(data: Data(source.utf8))
        parser.delegate = self
        if !parser.parse() {
            problem = "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "?")"
        }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String]
    ) { elements.append(Element(name: name, attributes: attributes)) }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }
}

/// Names that try everything.
enum Hostile {
    static let names = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='alert(1)",
        "]]>", "&lt;b&gt; &amp; & <", "a\u{0}b\u{1B}[31m", "\u{202E}txt.exe\u{2066}",
        "</svg></style></script><h1>", "\u{FFFE}\u{FFFF}", "<!--", "-->", "javascript:alert(1)",
        "e\u{301}\u{1F600}", "", String(repeating: "w", count: 4000),
    ]
}
