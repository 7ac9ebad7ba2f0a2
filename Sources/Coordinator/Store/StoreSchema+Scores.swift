extension StoreSchema {
    /// Leaderboard rows tell their settings apart, keep what each seed gave, and hold UD at equal
    /// loss; what cells cost and how far UD agrees with other figures are worked out when merging.
    static let scores = """
        ALTER TABLE leaderboard ADD COLUMN settings TEXT NOT NULL DEFAULT '';
        ALTER TABLE leaderboard ADD COLUMN seedNumbers TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE leaderboard ADD COLUMN seedUD TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE leaderboard ADD COLUMN seedLearnable TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE leaderboard ADD COLUMN seedMetric TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE leaderboard ADD COLUMN seedDamage TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE leaderboard ADD COLUMN udVanilla REAL;
        ALTER TABLE leaderboard ADD COLUMN udDefended REAL;
        ALTER TABLE leaderboard ADD COLUMN damageVanilla REAL;
        ALTER TABLE leaderboard ADD COLUMN damageDefended REAL;
        ALTER TABLE leaderboard ADD COLUMN udMatched REAL;
        ALTER TABLE leaderboard ADD COLUMN udMatchedLow REAL;
        ALTER TABLE leaderboard ADD COLUMN udMatchedHigh REAL;
        ALTER TABLE leaderboard ADD COLUMN matchedCount INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE leaderboard ADD COLUMN bimodalShare REAL;
        CREATE TABLE rankAgreement (
          sweep TEXT NOT NULL, dataSet TEXT NOT NULL, task TEXT NOT NULL, model TEXT NOT NULL,
          defense TEXT NOT NULL, settings TEXT NOT NULL,
          other TEXT NOT NULL CHECK (other IN ('metric', 'damage', 'salLoss')),
          controls INTEGER NOT NULL CHECK (controls IN (0, 1)),
          n INTEGER NOT NULL, rho REAL, rhoLow REAL, rhoHigh REAL, tau REAL,
          PRIMARY KEY (sweep, dataSet, task, model, defense, settings, other, controls)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE cellCost (
          sweep TEXT NOT NULL, cell TEXT NOT NULL, kind TEXT NOT NULL, jobs INTEGER NOT NULL,
          seconds REAL NOT NULL, forwardEquivalents REAL NOT NULL,
          PRIMARY KEY (sweep, cell, kind)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX jobInTrouble ON job(state) WHERE state IN ('quarantined', 'blocked');
        """
}
