import FathomCore
import FathomPage
import Foundation
import Testing

@Suite("Pages")
struct DocumentTests {
    private func page(_ text: String) -> PageDocument {
        let table = PageTable(
            id: "t", caption: text,
            columns: [.init(text), .init("UD", isNumber: true, help: text)],
            rows: [.init([.init(text), .init("0.4", value: 0.4)], className: "control")])
        let figure = Figure(
            id: "f", title: text, caption: Markup(text: text), panels: [table.markup],
            key: [.init(name: text, style: .control(1))],
            download: Download(fileName: "data.csv", csv: "a,b\n\(text),1\n"))
        return PageDocument(title: text, body: Markup("main") { figure.markup })
    }

    @Test(
        "a page is one strict document that allows its own style and scripts and nothing else",
        arguments: Hostile.names.indices)
    func pageIsStrict(number: Int) throws {
        let text = Hostile.names[number]
        let page = page(text)
        var source = page.html
        #expect(source.hasPrefix("<!DOCTYPE html>\n"))
        // What browsers take as it is stands apart; the rest must parse.
        for tag in ["style", "script"] {
            let parts = source.components(separatedBy: "<\(tag)>")
            #expect(parts.count == 2)
            let rest = try #require(parts.last).components(separatedBy: "</\(tag)>")
            source = parts[0] + "<\(tag)>" + "</\(tag)>" + rest.dropFirst().joined(separator: "")
        }
        let parsed = StrictXML(String(source.dropFirst("<!DOCTYPE html>\n".count)))
        #expect(parsed.problem == nil)
        let policy = parsed.all("meta").compactMap { meta in
            meta.attributes["http-equiv"] == "Content-Security-Policy"
                ? meta.attributes["content"] : nil
        }
        #expect(policy == [page.policy])
        #expect(page.policy.contains("default-src 'none'") && !page.policy.contains("unsafe"))
        #expect(parsed.elements.allSatisfy { $0.attributes["style"] == nil })
        let links = parsed.elements.compactMap { $0.attributes["href"] ?? $0.attributes["src"] }
        #expect(links.allSatisfy { $0.hasPrefix("data:") }, "\(links)")
    }

    @Test("data within the page comes back byte for byte")
    func downloads() throws {
        let csv = "name,β\n\"a,b\",0.5\n"
        let link = StrictXML(Download(fileName: "x.csv", csv: csv).link.source).elements[0]
        let href = try #require(link.attributes["href"])
        let encoded = try #require(href.components(separatedBy: "base64,").last)
        #expect(Data(base64Encoded: encoded) == Data(csv.utf8))
        #expect(link.attributes["download"] == "x.csv")
    }

    @Test("the style and the scripts cannot end their own element")
    func verbatimPartsAreClosed() {
        for text in ["\(PageStyle.sheet)", "\(PageScript.sorting)"] {
            #expect(!text.contains("</") && !text.contains("<!--"))
            #expect(!text.contains("url(") && !text.contains("@import") && !text.contains("http"))
        }
    }
}
