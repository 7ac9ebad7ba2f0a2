import FathomCore
import FathomCoordinator
import FathomProtocol
import Foundation
import FoundationXML

/// A page, parsed as strictly as XML asks.
final class ParsedPage: NSObject, XMLParserDelegate {
    struct Element {
        var name: String
        var attributes: [String: String]
    }

    private(set) var elements: [Element] = []
    private(set) var text = ""
    private(set) var problem: String?

    /// - Parameter html: A whole report. What browsers take verbatim is cut out before.
    init(_ html: String) {
        super.init()
        var source = html
        for tag in ["style", "script"] {
            let parts = source.components(separatedBy: "<\(tag)>")
            source = parts[0]
            for part in parts.dropFirst() {
                let rest = part.components(separatedBy: "</\(tag)>")
                source += "<\(tag)></\(tag)>" + rest.dropFirst().joined(separator: "")
            }
        }
        let body = source.replacing("<!DOCTYPE html>\n", with: "")
        let parser = XMLParser(data: Data(body.utf8))
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

    var ids: [String] { elements.compactMap { $0.attributes["id"] } }

    /// The data behind a figure, by its file's name.
    func data(_ file: String) -> String? {
        all("a").first { $0.attributes["download"] == file }?.attributes["href"]
            .flatMap { $0.components(separatedBy: "base64,").last }
            .flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// What a table's row holds for programs: the values of its cells in order, `nil` where none.
    func values(ofRow key: String) -> [Double?]? {
        guard
            let start = elements.firstIndex(where: {
                $0.name == "tr" && $0.attributes["data-key"] == key
            })
        else { return nil }
        return elements[(start + 1)...].prefix { $0.name != "tr" && $0.name != "table" }
            .filter { $0.name == "td" || $0.name == "th" }
            .map { $0.attributes["data-v"].flatMap(Double.init) }
    }
}
