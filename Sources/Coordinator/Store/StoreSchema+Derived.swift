extension StoreSchema {
    /// What `merge` fills: recomputable from the raw rows, and the stable face of the store.
    static let derivedTables = """
        CREATE TABLE salMatrix (
          sweep TEXT NOT NULL, cell TEXT NOT NULL, method TEXT NOT NULL, task TEXT NOT NULL,
          model TEXT NOT NULL, defense TEXT NOT NULL, seed INTEGER NOT NULL,
          granularity TEXT NOT NULL, epoch INTEGER NOT NULL, layerIndex INTEGER NOT NULL,
          layer TEXT NOT NULL, sMax REAL, sMin REAL, sal REAL, salAccuracy REAL, flag TEXT,
          PRIMARY KEY (sweep, cell, seed, epoch, layerIndex)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE udScore (
          sweep TEXT NOT NULL, cell TEXT NOT NULL, method TEXT NOT NULL, task TEXT NOT NULL,
          model TEXT NOT NULL, defense TEXT NOT NULL, seed INTEGER, rule TEXT NOT NULL,
          countKind TEXT NOT NULL, baseline TEXT NOT NULL, beta REAL, learnable REAL,
          learnableBaseline REAL, ud REAL, reason TEXT,
          n INTEGER NOT NULL, udLow REAL, udHigh REAL, udMean REAL,
          CHECK (ud IS NOT NULL OR reason IS NOT NULL),
          UNIQUE (sweep, cell, seed, rule, countKind, baseline)
        ) STRICT;
        CREATE TABLE leaderboard (
          sweep TEXT NOT NULL, cell TEXT NOT NULL, method TEXT NOT NULL, task TEXT NOT NULL,
          model TEXT NOT NULL, defense TEXT NOT NULL, n INTEGER NOT NULL,
          ud REAL, udLow REAL, udHigh REAL, metric REAL, metricLow REAL, metricHigh REAL,
          damage REAL, calibrated INTEGER CHECK (calibrated IN (0, 1)),
          learnable REAL, learnableBaseline REAL, learnableTotal REAL,
          controlLow REAL, controlHigh REAL,
          rule TEXT NOT NULL, countKind TEXT NOT NULL, baseline TEXT NOT NULL,
          udMean REAL, udReason TEXT, udDeviation REAL,
          metricName TEXT NOT NULL, metricDeviation REAL, chance REAL,
          damageLow REAL, damageHigh REAL, damageReason TEXT,
          trainLoss REAL, salLoss REAL, salLossBaseline REAL, reach REAL, reachBaseline REAL,
          layerCount INTEGER, dataSet TEXT NOT NULL, role TEXT NOT NULL
            CHECK (role IN ('clean', 'control', 'method')),
          seeds INTEGER NOT NULL, position INTEGER NOT NULL, note TEXT,
          PRIMARY KEY (sweep, cell)
        ) STRICT, WITHOUT ROWID;
        """

    /// What is true now rather than at the last merge.
    static let liveViews = """
        CREATE VIEW progress AS
          SELECT s.name AS sweep, c.label AS cell, c.method, c.task, c.model, c.defense, j.kind,
            sum(j.state = 'finished') AS done, count(*) AS total,
            sum(j.state = 'open') AS open, sum(j.state = 'quarantined') AS quarantined,
            sum(j.state = 'blocked') AS blocked
          FROM sweep s
            JOIN cell c ON c.sweep = s.id AND c.hidden = 0
            JOIN (SELECT DISTINCT r.cell, rj.job FROM run r JOIN runJob rj ON rj.run = r.id
              WHERE r.hidden = 0) x ON x.cell = c.id
            JOIN job j ON j.id = x.job
          GROUP BY s.id, c.position, c.id, j.kind
          ORDER BY s.name, c.position, c.id, j.kind;
        CREATE VIEW problem AS
          SELECT s.name AS sweep, c.label AS cell, c.method, j.kind, j.key AS job,
            j.state AS state, j.reason AS reason
          FROM sweep s JOIN sweepJob sj ON sj.sweep = s.id JOIN job j ON j.id = sj.job
            LEFT JOIN (SELECT DISTINCT r.cell, rj.job FROM run r JOIN runJob rj ON rj.run = r.id
              WHERE r.hidden = 0) x ON x.job = j.id
            LEFT JOIN cell c ON c.id = x.cell
          WHERE j.state IN ('quarantined', 'blocked')
            AND (c.id IS NULL OR (c.sweep = s.id AND c.hidden = 0))
          UNION ALL
          SELECT s.name, c.label, c.method, j.kind, j.key, 'disagreement', e.detail
          FROM event e JOIN job j ON j.key = e.subject JOIN sweepJob sj ON sj.job = j.id
            JOIN sweep s ON s.id = sj.sweep
            LEFT JOIN (SELECT DISTINCT r.cell, rj.job FROM run r JOIN runJob rj ON rj.run = r.id
              WHERE r.hidden = 0) x ON x.job = j.id
            LEFT JOIN cell c ON c.id = x.cell
          WHERE e.kind = 'disagreement'
            AND (c.id IS NULL OR (c.sweep = s.id AND c.hidden = 0));
        """
}
