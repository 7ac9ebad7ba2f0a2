import FathomCore
NumericClass.enterSlot()
try GoldenVerification.run(folder: CommandLine.arguments[1]) { c in
    let worst = c.checks.max { $0.error / $0.tolerance < $1.error / $1.tolerance }
    print(c.status, c.name, c.error ?? -1, worst?.what ?? "", c.reason ?? "")
}
