/// A table of a page. With the page's script its columns sort at a click.
public struct PageTable: Sendable {
    public struct Column: Sendable {
        public var title: String
        public var isNumber: Bool
        /// What it means, at more length.
        public var help: String?

        public init(_ title: String, isNumber: Bool = false, help: String? = nil) {
            self.title = title
            self.isNumber = isNumber
            self.help = help
        }
    }

    public struct Cell: Sendable {
        public var content: Markup
        /// What it sorts by, where that is not its text.
        public var value: Double?
        /// Whether it holds sentences, which wrap.
        public var isWide: Bool

        public init(_ content: Markup, value: Double? = nil, isWide: Bool = false) {
            self.content = content
            self.value = value
            self.isWide = isWide
        }

        public init(_ text: String, value: Double? = nil, isWide: Bool = false) {
            self.init(Markup(text: text), value: value, isWide: isWide)
        }
    }

    public struct Row: Sendable {
        public var cells: [Cell]
        public var className: String?
        /// What names the row for programs that read the page.
        public var key: String?

        public init(_ cells: [Cell], className: String? = nil, key: String? = nil) {
            self.cells = cells
            self.className = className
            self.key = key
        }
    }

    public var id: String
    public var caption: String
    public var columns: [Column]
    public var rows: [Row]
    /// Which column names its row.
    public var headColumn: Int
    public var isSortable: Bool

    public init(
        id: String, caption: String, columns: [Column], rows: [Row], headColumn: Int = 0,
        isSortable: Bool = true
    ) {
        precondition(
            rows.allSatisfy { $0.cells.count == columns.count },
            "every row needs \(columns.count) cells")
        self.id = id
        self.caption = caption
        self.columns = columns
        self.rows = rows
        self.headColumn = headColumn
        self.isSortable = isSortable
    }

    public var markup: Markup {
        Markup(
            "div",
            [
                "class": "scroll", "role": "region", "tabindex": "0",
                "aria-labelledby": "\(id)-c",
            ]
        ) {
            Markup("table", ["id": id, "class": isSortable ? "sortable" : nil]) {
                Markup("caption", ["id": "\(id)-c"]) { caption }
                Markup("thead") { Markup("tr") { columns.map(head) } }
                Markup("tbody") { rows.map(line) }
            }
        }
    }

    private func head(_ column: Column) -> Markup {
        Markup(
            "th",
            ["scope": "col", "class": column.isNumber ? "n" : nil, "title": column.help]
        ) {
            if isSortable, !column.title.isEmpty {
                Markup("button", ["type": "button"]) { column.title }
            } else {
                column.title
            }
        }
    }

    private func line(_ row: Row) -> Markup {
        Markup("tr", ["class": row.className, "data-key": row.key]) {
            for (index, cell) in row.cells.enumerated() {
                let className = columns[index].isNumber ? "n" : cell.isWide ? "wide" : nil
                let value = cell.value.map { "\($0)" }
                if index == headColumn {
                    Markup("th", ["scope": "row", "class": className, "data-v": value]) {
                        cell.content
                    }
                } else {
                    Markup("td", ["class": className, "data-v": value]) { cell.content }
                }
            }
        }
    }
}
