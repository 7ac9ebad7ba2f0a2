import FathomPage

/// The page as it is before anything was heard: headings and empty places, which the script fills.
enum DashboardPage {
    static let document = PageDocument(
        title: "Fathom", body: body, scripts: [DashboardScript.live], isLive: true)

    /// What is shown to those who have not named the token yet.
    static let door = PageDocument(
        title: "Fathom: token", body: doorBody, scripts: [], isLive: true)

    private static var doorBody: Markup {
        Markup("main") {
            Markup("h1") { "Fathom" }
            Markup("p") {
                "This page is served to other machines, so it asks who you are. The token was "
                "printed where the dashboard was started."
            }
            Markup("form", ["method": "post", "action": "/login"]) {
                Markup("p") {
                    tokenField("token")
                    " "
                    Markup("button", ["type": "submit"]) { "Open" }
                }
            }
        }
    }

    private static var body: Markup {
        Markup(joining: [
            Markup("a", ["class": "skip", "href": "#progress"]) { "Skip to the progress" },
            Markup("header") {
                Markup("h1", ["id": "title"]) { "Fathom" }
                Markup("p", ["class": "subtitle", "id": "status", "role": "status"]) {
                    "Connecting …"
                }
                Markup("noscript") {
                    Markup("p") {
                        Markup(
                            prose: "This page is live and needs scripts; `fathom status` does not.")
                    }
                }
            },
            Markup("main") {
                Markup("progress", ["id": "whole", "class": "whole", "aria-label": "Jobs done"])
                tiles
                progress
                problems
                board
                cells
                workers
                steering
            },
            Markup("dialog", ["id": "explanation", "aria-labelledby": "explained"]) {
                Markup("h3", ["id": "explained"]) { "Job" }
                Markup("pre", ["id": "explanation-text", "tabindex": "0"])
                Markup("form", ["method": "dialog"]) { Markup("button") { "Close" } }
            },
        ])
    }

    private static var tiles: Markup {
        let names = [
            ("done", "Jobs done"), ("left", "Time left"), ("rate", "Results a second"),
            ("here", "Workers"), ("trouble", "Problems"),
        ]
        return Markup("dl", ["class": "tiles"]) {
            for (id, name) in names {
                Markup("div") {
                    Markup("dt") { name }
                    Markup("dd", ["id": "tile-\(id)"]) { "–" }
                }
            }
        }
    }

    private static var progress: Markup {
        section("progress", "Progress") {
            hint(
                "Poison jobs make perturbed data, train jobs train networks on them, sal jobs "
                    + "measure how far each layer can still learn, landscape jobs how the loss "
                    + "lies around.")
            table(
                "kinds", "Jobs by kind",
                [
                    ("Kind", false), ("", false), ("Done", true), ("Open", true), ("Paused", true),
                    ("Failed", true), ("Blocked", true), ("A job takes", true),
                ])
        }
    }

    private static var problems: Markup {
        section("problems", "Problems") {
            Markup("p", ["class": "soft", "id": "problems-note"]) { "None so far." }
            table(
                "problem-rows", "Jobs that failed, that wait for those, or whose results disagree",
                [
                    ("Method", false), ("State", false), ("", false), ("Reason", false),
                    ("Kind", false), ("Job", false),
                ])
        }
    }

    private static var board: Markup {
        section("leaderboard", "Leaderboard so far") {
            hint(
                "UD, the unlearnable distance, counts the layers that stay learnable, relative to clean "
                    + "training, which scores 1; the lower, the less can be learned from the data. "
                    + "Damage is what a network loses on clean data, as a share of what it learns beyond "
                    + "chance.")
            Markup("p", ["class": "soft", "id": "board-source"])
            finder("board", "method, setting …")
            Markup("div", ["id": "board-rows"])
            turner("board")
        }
    }

    private static var cells: Markup {
        section("cells", "Cells") {
            hint(
                "A cell is one method on one data set, with one task, model and defense; its runs differ "
                    + "in their seeds.")
            finder(
                "cells", "method, task, model …",
                orders: [
                    ("plan", "as planned"), ("problems", "problems first"),
                    ("done", "most done first"),
                ])
            table(
                "cells-rows", "Cells of the grid",
                [
                    ("Method", false), ("", false), ("Done", true), ("Failed", true),
                    ("Computing left", true), ("Task", false), ("Model", false),
                    ("Defense", false), ("Cell", false), ("", false),
                ])
            turner("cells")
        }
    }

    private static var workers: Markup {
        section("workers", "Workers") {
            Markup("p", ["class": "soft", "id": "workers-note"])
            table(
                "worker-rows", "Workers, those that are here first",
                [
                    ("Worker", false), ("Host", false), ("Slots", true), ("Results lately", true),
                    ("Failures lately", true), ("", false),
                ])
        }
    }

    private static var steering: Markup {
        section("steer", "Steer") {
            Markup("p") {
                "To retry or cancel from here, enter the token that the command printed on standard "
                "error at its start. It is kept by this page only, until it is closed."
            }
            Markup("form", ["id": "steering", "autocomplete": "off"]) {
                Markup("p") { tokenField("key") }
                Markup("p", ["id": "sweep-acts"]) {
                    "The whole sweep: "
                    for (action, name) in [
                        ("retry", "Retry what failed"), ("pause", "Pause"), ("resume", "Resume"),
                        ("cancel", "Cancel what is open"),
                    ] {
                        Markup("button", ["type": "button", "data-action": action]) { name }
                        " "
                    }
                }
            }
            Markup("p", ["id": "answer", "role": "status"])
        }
    }

    /// Where the token is entered.
    private static func tokenField(_ id: String) -> Markup {
        field(id, "Token ") {
            Markup(
                "input",
                [
                    "id": id, "name": id, "type": "password", "required": "",
                    "autocomplete": "off", "maxlength": "200",
                ])
        }
    }

    /// What finds and orders the rows of a long list.
    private static func finder(
        _ list: String, _ example: String, orders: [(value: String, name: String)] = []
    ) -> Markup {
        Markup("p", ["role": "search", "id": "\(list)-finder"]) {
            field("\(list)-search", "Find ") {
                Markup(
                    "input",
                    [
                        "id": "\(list)-search", "type": "search", "maxlength": "100",
                        "placeholder": example,
                    ])
            }
            if !orders.isEmpty {
                " "
                field("\(list)-order", "Order ") {
                    Markup("select", ["id": "\(list)-order"]) {
                        for order in orders {
                            Markup("option", ["value": order.value]) { order.name }
                        }
                    }
                }
            }
        }
    }

    /// What turns the pages of a long list.
    private static func turner(_ list: String) -> Markup {
        Markup("p", ["id": "\(list)-turner"]) {
            Markup("button", ["type": "button", "id": "\(list)-before"]) { "Back" }
            " "
            Markup("span", ["id": "\(list)-note", "class": "soft"])
            " "
            Markup("button", ["type": "button", "id": "\(list)-after"]) { "On" }
        }
    }

    /// Something to fill in, with its name before it.
    private static func field(
        _ id: String, _ name: String, @MarkupBuilder control: () -> Markup
    ) -> Markup {
        Markup(joining: [Markup("label", ["for": id]) { name }, control()])
    }

    private static func hint(_ text: String) -> Markup {
        Markup("p", ["class": "soft"]) { text }
    }

    private static func section(
        _ id: String, _ title: String, @MarkupBuilder content: () -> Markup
    ) -> Markup {
        Markup("section", ["id": id, "aria-labelledby": "\(id)-title"]) {
            Markup("h2", ["id": "\(id)-title"]) { title }
            content()
        }
    }

    private static func table(
        _ id: String, _ caption: String, _ heads: [(name: String, isNumber: Bool)]
    ) -> Markup {
        Markup(
            "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption]
        ) {
            Markup("table") {
                Markup("caption", ["class": "hidden"]) { caption }
                Markup("thead") {
                    Markup("tr") {
                        for head in heads {
                            Markup("th", ["scope": "col", "class": head.isNumber ? "n" : nil]) {
                                head.name
                            }
                        }
                    }
                }
                Markup("tbody", ["id": id])
            }
        }
    }
}
