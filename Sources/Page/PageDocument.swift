import FathomCore
import Foundation

/// A whole page: one file that asks for nothing else.
///
/// Its content security policy allows its own style sheet and scripts by their digests and nothing
/// besides, so that no text of a store could run even if it were not escaped.
public struct PageDocument: Sendable {
    public var title: String
    public var body: Markup
    /// Scripts of the program.
    public var scripts: [StaticString]
    /// Whether scripts may ask the server the page came from, as a live page must.
    public var isLive: Bool

    public init(
        title: String, body: Markup, scripts: [StaticString] = [PageScript.sorting],
        isLive: Bool = false
    ) {
        self.title = title
        self.body = body
        self.scripts = scripts
        self.isLive = isLive
    }

    /// The policy, as the page states it and as a server may send it.
    public var policy: String {
        let allowed = scripts.map(PageDocument.source).joined(separator: " ")
        return [
            "default-src 'none'", "img-src data:",
            "style-src \(PageDocument.source(PageStyle.sheet))",
            "script-src \(allowed.isEmpty ? "'none'" : allowed)",
            isLive ? "connect-src 'self'" : "connect-src 'none'",
            "base-uri 'none'", "form-action \(isLive ? "'self'" : "'none'")",
        ].joined(separator: "; ")
    }

    private static func source(_ text: StaticString) -> String {
        // Base 64 of the digest, whose text is hexadecimal.
        let digits = Array("\(Digest(of: Data("\(text)".utf8)))".utf8)
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        return "'sha256-\(Data(bytes).base64EncodedString())'"
    }

    /// The file.
    public var html: String {
        "<!DOCTYPE html>\n" + root.source + "\n"
    }

    /// The page without the line that says it is HTML; well-formed XML but for style and scripts.
    private var root: Markup {
        Markup("html", ["lang": "en"]) {
            Markup("head") {
                Markup("meta", ["charset": "utf-8"])
                Markup("meta", ["http-equiv": "Content-Security-Policy", "content": policy])
                Markup("meta", ["name": "referrer", "content": "no-referrer"])
                Markup(
                    "meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                Markup("meta", ["name": "color-scheme", "content": "light dark"])
                Markup("title") { title }
                // An empty icon, or browsers would ask for one.
                Markup("link", ["rel": "icon", "href": "data:,"])
                Markup(verbatim: "style", PageStyle.sheet)
            }
            Markup("body") {
                body
                scripts.map { Markup(verbatim: "script", $0) }
            }
        }
    }
}
