import FathomPage
import Foundation
import Testing

@Suite("Markup")
struct MarkupTests {
    @Test("whatever a text or an attribute holds, it stays text", arguments: Hostile.names.indices)
    func hostileTextIsText(number: Int) {
        let name = Hostile.names[number]
        let markup = Markup("p", ["title": name, "data-v": nil]) {
            name
            Markup("b") { name }
        }
        let parsed = StrictXML(markup.source)
        #expect(parsed.problem == nil)
        #expect(parsed.elements.map(\.name) == ["p", "b"])
        #expect(parsed.elements.first?.attributes.keys.sorted() == ["title"])
    }

    @Test("harmless text comes back as it was, forbidden characters are replaced")
    func textComesBack() {
        #expect(
            StrictXML(Markup("p") { "a<b & \"c\" 'd' é β" }.source).text == "a<b & \"c\" 'd' é β")
        #expect(Markup(text: "a\u{0}\u{202E}b").source == "a\u{FFFD}\u{FFFD}b")
    }

    @Test(
        "what stands between backticks becomes code, a backtick alone stays",
        arguments: [
            ("a", "a"), ("", ""), ("(`*`).", "(<code>*</code>)."),
            ("`<b>`", "<code>&lt;b&gt;</code>"),
            ("`a` & `b`", "<code>a</code> &amp; <code>b</code>"), ("a`b", "a`b"),
            ("`a` b`", "<code>a</code> b`"),
        ])
    func prose(text: String, source: String) {
        #expect(Markup(prose: text).source == source)
    }

    @Test("elements without content close as HTML wants")
    func emptyElements() {
        #expect(Markup("br").source == "<br/>")
        #expect(Markup("td", ["class": "n"]).source == "<td class=\"n\"></td>")
        #expect(Markup("div") { Markup.nothing }.source == "<div></div>")
    }

    @Test("numbers are written the same everywhere")
    func numerals() {
        #expect(Numeral.place(12.34) == "12.3" && Numeral.place(-0.04) == "0")
        #expect(Numeral.place(-7.25) == "-7.3" && Numeral.place(.nan) == "0")
        #expect(Numeral.fixed(-0.0001, 2) == "0.00" && Numeral.fixed(.infinity, 2) == "–")
        #expect(Numeral.count(1_234_567) == "1\u{202F}234\u{202F}567" && Numeral.count(12) == "12")
        #expect(Numeral.duration(seconds: 5_400) == "90.0 min")
        #expect(Numeral.duration(seconds: 0.25) == "250 ms" && Numeral.bytes(1_500) == "1.5 kB")
    }

    @Test("an axis covers its values with round ticks")
    func axes() {
        let axis = Axis("x", covering: [0.0, 0.97], padding: 0)
        #expect(axis.ticks.map(axis.text) == ["0.0", "0.2", "0.4", "0.6", "0.8"])
        #expect(axis.fraction(0) == 0 && axis.fraction(0.97) == 1 && axis.fraction(5) == 1)
        let log = Axis("x", covering: [0.001, 1000, -4, 0], kind: .log, padding: 0)
        #expect(log.ticks.map(log.text) == ["0.001", "0.01", "0.1", "1", "10", "100", "1e+03"])
        #expect(abs(log.fraction(1) - 0.5) < 1e-12 && log.fraction(-1) == 0)
        for odd in [[], [3.0], [Double.nan], [1e300, -1e300], [1e-300, 2e-300], [0, 0]] {
            for kind in [Axis.Kind.linear, .log] {
                let axis = Axis("odd", covering: odd, kind: kind)
                #expect(axis.low < axis.high && axis.ticks.count <= 50, "\(odd) \(kind)")
                #expect((0...1).contains(axis.fraction(odd.first ?? 1)))
            }
        }
    }

    @Test("the map of colours goes from dark to bright without a step back")
    func viridis() {
        let lightness = (0..<Viridis.levels).map { level -> Double in
            let digits = Viridis.color(level: level).dropFirst()
            let value = Int(digits, radix: 16) ?? 0
            return 0.2126 * pow(Double(value >> 16) / 255, 2.2)
                + 0.7152 * pow(Double(value >> 8 & 255) / 255, 2.2)
                + 0.0722 * pow(Double(value & 255) / 255, 2.2)
        }
        #expect(zip(lightness, lightness.dropFirst()).allSatisfy { $0 < $1 })
        #expect(Viridis.level(-3) == 0 && Viridis.level(1) == Viridis.levels - 1)
    }
}
