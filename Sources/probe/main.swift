import FathomCore
NumericClass.enterSlot()
try GoldenVerification.run(folder: CommandLine.arguments[1]) { c in
    if c.status != .passed { for k in c.checks { print(k) } }
}
